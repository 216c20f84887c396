// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot_session.h"

#include <algorithm>

#include "base/error.h"
#include "store/file_writer.h"
#include "store/space_writer.h"

namespace icecore::store {
namespace {

// So many whole pages of a snapshot (32 MiB) get the encoding that is slow and small. A snapshot of
// gigabytes must not take ten times as long for it.
constexpr std::uint64_t kPagesWorthEffort = 8192;

}  // namespace

SnapshotWriter::Impl::Impl(std::shared_ptr<RecordingWriter::Impl> recording)
    : recording_(std::move(recording)),
      number_(recording_->next_number),
      page_budget_(kPagesWorthEffort),
      file_budget_(kPagesWorthEffort) {
  if (recording_->snapshot_open) {
    throw Error("begin a snapshot of " + recording_->recording.name +
                ": the one before is neither committed nor dropped");
  }
  recording_->sink->begin();
  recording_->snapshot_open = true;
}

SnapshotWriter::Impl::~Impl() {
  if (state_ == State::Open) give_up();
  recording_->snapshot_open = false;
}

void SnapshotWriter::Impl::give_up() noexcept {
  state_ = State::Failed;
  recording_->sink->roll_back();
}

void SnapshotWriter::Impl::require_open() const {
  if (state_ == State::Open) return;
  throw Error("snapshot " + recording_->recording.name + "@" + std::to_string(number_) +
              (state_ == State::Done ? " is committed already" : " has failed before"));
}

template <typename Body>
decltype(auto) SnapshotWriter::Impl::guarded(Body&& body) {
  require_open();
  try {
    return with_context("snapshot " + recording_->recording.name + "@" + std::to_string(number_),
                        std::forward<Body>(body));
  } catch (...) {
    give_up();
    throw;
  }
}

PageMap SnapshotWriter::Impl::current_map(SpaceId space) {
  const auto changed = new_heads_.find(space);
  return changed != new_heads_.end() ? *changed->second.map : recording_->map_of(space);
}

void SnapshotWriter::Impl::write_pages(SpaceId space, std::span<const PageRun> runs) {
  guarded([&] {
    if (!written_.insert(space).second) {
      throw Error("space " + std::to_string(static_cast<std::uint64_t>(space)) +
                  " is written twice");
    }
    SegmentStream stream(*recording_->sink, rows_, page_budget_);
    SpaceWriter writer(*recording_->objects, recording_->encoder, stream, recording_->map_of(space),
                       [this](SpaceId source) { return current_map(source); });
    for (const PageRun& run : runs) writer.write(run);
    stream.flush();
    if (!writer.changes().empty()) add_list(space, writer.changes());
  });
}

void SnapshotWriter::Impl::add_list(SpaceId space, VersionRuns changes) {
  SpaceHead head = recording_->head(space);
  const auto space_number = static_cast<std::uint64_t>(space);
  const std::uint64_t sequence = ++head.sequence;
  // List n takes in the younger lists of its own space down to list n - lowbit(n).
  const auto& old = recording_->map_of(space).lists();
  auto below = old.begin();
  for (; below != old.end() && (*below)->key.space == space_number &&
         (*below)->key.sequence > sequence_below(sequence);
       ++below) {
    changes = overlay(changes, (*below)->runs);
  }
  auto list = std::make_shared<PageList>();
  list->id = recording_->sink->next_object();
  list->key = {recording_->recording.uuid, space_number,        sequence, number_,
               head.parent_space,          head.parent_sequence};
  list->runs = std::move(changes);
  RecordHeader header;
  header.type = RecordType::PageList;
  header.object = list->id;
  const Locator locator = recording_->sink->pack().append(header, encode(list->key, list->runs));
  rows_.lists.push_back({list->id, list->key, locator});
  head.list = list->id;
  PageMap::Lists lists{std::move(list)};
  lists.insert(lists.end(), below, old.end());
  head.map = std::make_shared<const PageMap>(std::move(lists));
  new_heads_[space] = std::move(head);
}

void SnapshotWriter::Impl::end_other_spaces(std::span<const SpaceId> spaces) {
  guarded([&] {
    for (const SpaceId space : spaces) (void)recording_->head(space);
    kept_.emplace(spaces.begin(), spaces.end());
  });
}

std::optional<FileId> SnapshotWriter::Impl::find_identity(const FileIdentity& identity) {
  if (const auto known = rows_.identities.find(identity); known != rows_.identities.end()) {
    return known->second;
  }
  Rows rows = recording_->index->query(
      "SELECT content FROM file_identities WHERE device=?1 AND inode=?2 AND size=?3 AND "
      "mtime_ns=?4 "
      "AND ctime_ns=?5",
      identity.device, identity.inode, identity.size, identity.mtime_ns, identity.ctime_ns);
  FileId id;
  if (!rows.next() || rows.blob(0).size() != id.hash.size()) return std::nullopt;
  std::ranges::copy(rows.blob(0), id.hash.begin());
  return id;
}

bool SnapshotWriter::Impl::pin(const FileId& id) {
  // gc leaves alone what the snapshot before had; for anything else it has to be told.
  {
    Rows rows = recording_->index->query(
        "SELECT 1 FROM snapshot_files WHERE recording_id=?1 AND number=?2 AND content=?3",
        recording_->id, number_ - 1, id.hash);
    if (rows.next()) return true;
  }
  Transaction transaction(*recording_->index);
  {
    Rows rows = recording_->index->query("SELECT 1 FROM files WHERE content=?1", id.hash);
    if (!rows.next()) return false;
  }
  recording_->index->run("INSERT OR IGNORE INTO file_pins (recording_id, content) VALUES (?1, ?2)",
                         recording_->id, id.hash);
  transaction.commit();
  return true;
}

/// Ties content to the snapshot when the store has it.
bool SnapshotWriter::Impl::need_known(const FileId& id) {
  if (rows_.needed.contains(id)) return true;
  if (!rows_.files.contains(id) && !pin(id)) return false;
  rows_.needed.insert(id);
  return true;
}

FileId SnapshotWriter::Impl::add_file(int fd, const FileIdentity& identity) {
  return guarded([&] {
    if (const auto known = find_identity(identity); known && need_known(*known)) return *known;
    FileId id = hash_file(fd);
    if (!need_known(id)) {
      auto file = store_file(fd, *recording_->sink, recording_->encoder, rows_, file_budget_);
      id = file.id;
      rows_.needed.insert(id);
      rows_.files.emplace(id, std::move(file));
    }
    if (identity_holds(fd, identity)) rows_.identities.insert_or_assign(identity, id);
    return id;
  });
}

void SnapshotWriter::Impl::add_file(const FileId& id) {
  guarded([&] {
    if (!need_known(id)) throw Error("a file to keep is not in the store");
  });
}

}  // namespace icecore::store
