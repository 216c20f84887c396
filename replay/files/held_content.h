// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// Where a snapshot has the whole content of a file: pages by offset, the absent ones holes.
struct HeldContent {
  store::SpaceId space{};
  std::uint64_t size = 0;
};

/// By device and inode.
[[nodiscard]] bool is_same_file(const model::FileIdentity& a, const model::FileIdentity& b);

/// Of the file with that device and inode: a KeptFile, or shared memory that is held whole.
[[nodiscard]] std::optional<HeldContent> find_content(const model::Snapshot& snapshot,
                                                      const model::FileIdentity& identity);

/// Where shm_open(3) and sem_open(3) have their files.
inline constexpr std::string_view kNamedMemory = "/dev/shm";
/// Shared memory that has a name there: it is memory first, so that beside its original the tree
/// has its own.
[[nodiscard]] std::vector<const model::SharedObject*> named_memory(const model::Snapshot& snapshot);

/// Into `fd`, an empty file, which gets its size and its holes.
void write_content(const snapshot::StoredSnapshot& snapshot, const HeldContent& content, int fd);

/// True when every byte of `fd` is as it was.
[[nodiscard]] bool has_content(const snapshot::StoredSnapshot& snapshot, const HeldContent& content,
                               int fd);

/// Makes `fd` have the content again, writing only what differs.
void roll_back_content(const snapshot::StoredSnapshot& snapshot, const HeldContent& content,
                       int fd);

}  // namespace icecore::replay
