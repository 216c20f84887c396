// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_sequence.h"

#include <algorithm>
#include <map>
#include <utility>

namespace icecore::snapshot {

std::vector<store::SnapshotSummary> line_through(const std::vector<store::SnapshotSummary>& all,
                                                 std::uint64_t number) {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::map<std::uint64_t, std::size_t> index_of;
  std::vector<std::size_t> before(all.size(), kNone);
  std::vector<std::size_t> after(all.size(), kNone);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto parent = index_of.find(all[i].parent);
    if (parent != index_of.end()) {
      before[i] = parent->second;
    } else if (i > 0) {
      before[i] = i - 1;
    }
    if (before[i] != kNone && after[before[i]] == kNone) after[before[i]] = i;
    index_of[all[i].key.number] = i;
  }
  const auto here = index_of.find(number);
  if (here == index_of.end()) return {};
  std::vector<store::SnapshotSummary> line;
  for (std::size_t i = here->second; i != kNone; i = before[i]) line.push_back(all[i]);
  std::ranges::reverse(line);
  for (std::size_t i = after[here->second]; i != kNone; i = after[i]) line.push_back(all[i]);
  return line;
}

RecordingSequence::RecordingSequence(const store::Store& store, std::string recording)
    : store_(store), recording_(std::move(recording)) {}

std::vector<store::SnapshotSummary> RecordingSequence::line(const store::SnapshotKey& key) const {
  return line_through(store_.snapshots(recording_), key.number);
}

std::shared_ptr<const StoredSnapshot> RecordingSequence::open(const store::SnapshotKey& key) const {
  return std::make_shared<const StoredSnapshot>(store_, key);
}

store::SnapshotReader RecordingSequence::read(const store::SnapshotKey& key) const {
  return store_.read(key);
}

store::SnapshotKey RecordingSequence::resolve(std::string_view text) const {
  const std::size_t at = text.find('@');
  return store_.resolve(at == std::string_view::npos ? recording_ + "@" + std::string(text)
                                                     : std::string(text));
}

}  // namespace icecore::snapshot
