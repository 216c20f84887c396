// SPDX-License-Identifier: Apache-2.0
#include "cli/snapshot_image.h"

#include <algorithm>

namespace icecore::cli {

std::size_t SnapshotImage::read_memory(std::uint64_t address, std::span<std::byte> out) const {
  return snapshot_.read_memory(process_, address, out);
}

std::uint64_t SnapshotImage::next_data(std::uint64_t address, std::uint64_t end) const {
  const auto* mapping = snapshot::StoredSnapshot::find_mapping(process_, address);
  // Pages of a file mapping that the space does not have come from the file.
  if (address >= end || mapping == nullptr || mapping->file() != 0) return std::min(address, end);
  const bool shared = mapping->shared_space() != 0;
  const auto space = store::SpaceId{shared ? mapping->shared_space() : process_.space()};
  const std::uint64_t shift = shared ? mapping->start() - mapping->offset() : 0;
  const std::uint64_t stop = std::min(end, mapping->end());
  const std::uint64_t first = (address - shift) / store::kPageSize;
  const std::uint64_t last = (stop - shift + store::kPageSize - 1) / store::kPageSize;
  const auto runs = snapshot_.reader().present(space, {first, last - first});
  if (runs.empty()) return stop == end ? end : next_data(stop, end);
  return std::max(address, runs.front().first * store::kPageSize + shift);
}

const model::MappedFile* SnapshotImage::file_of(const model::Mapping& mapping) const {
  const auto& files = snapshot_.model().mapped_files();
  const auto index = static_cast<int>(mapping.file()) - 1;
  return index >= 0 && index < files.size() ? &files[index] : nullptr;
}

UniqueFd SnapshotImage::open_module(const model::Mapping& mapping) const {
  const auto* file = file_of(mapping);
  return file == nullptr || file->content().empty() ? UniqueFd()
                                                    : snapshot_.materialize(file->content());
}

UniqueFd SnapshotImage::open_debug(const model::Mapping& mapping) const {
  const auto* file = file_of(mapping);
  return file == nullptr || file->debug_content().empty()
             ? UniqueFd()
             : snapshot_.materialize(file->debug_content());
}

}  // namespace icecore::cli
