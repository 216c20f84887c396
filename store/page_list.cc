// SPDX-License-Identifier: Apache-2.0
#include "store/page_list.h"

#include <algorithm>
#include <limits>

namespace icecore::store {

std::vector<std::byte> encode(const PageListKey& key, std::span<const VersionRun> runs) {
  ByteWriter writer;
  writer.append(key.recording);
  writer.write(key.space);
  writer.write(key.sequence);
  writer.write(key.number);
  writer.write(key.parent_space);
  writer.write(key.parent_sequence);
  encode_runs(writer, runs);
  return writer.release();
}

PageListKey decode_page_list_key(ByteReader& reader) {
  PageListKey key;
  std::ranges::copy(reader.take(key.recording.size()), key.recording.begin());
  key.space = reader.read<std::uint64_t>();
  key.sequence = reader.read<std::uint64_t>();
  key.number = reader.read<std::uint64_t>();
  key.parent_space = reader.read<std::uint64_t>();
  key.parent_sequence = reader.read<std::uint64_t>();
  return key;
}

PageList decode_page_list(std::uint32_t id, std::span<const std::byte> body) {
  ByteReader reader(body);
  PageList list;
  list.id = id;
  list.key = decode_page_list_key(reader);
  list.runs = decode_runs(reader);
  return list;
}

VersionRun PageMap::run_at(std::uint64_t page) const {
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  for (const auto& list : lists_) {
    const std::span<const VersionRun> runs(list->runs);
    const auto run = find_run(runs, page);
    if (run == runs.end()) continue;
    if (run->first <= page) return run->slice(page, std::min(run->end(), end));
    end = std::min(end, run->first);
  }
  return {page, end - page, PageVersion::Kind::Absent, {}};
}

VersionRuns PageMap::runs(PageRange range) const {
  VersionRuns result;
  for (const auto& list : lists_) result = overlay(result, clip(list->runs, range));
  return result;
}

PageMap single_list_map(VersionRuns runs) {
  auto list = std::make_shared<PageList>();
  list->runs = std::move(runs);
  return PageMap({std::move(list)});
}

}  // namespace icecore::store
