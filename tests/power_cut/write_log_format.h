// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace icecore::test {

/// What a program asked of the file system, and what it promised meanwhile, in order. Each record
/// is this header, the path, then the bytes that were written.
struct WriteLogRecord {
  enum class Kind : std::uint32_t { Write, Truncate, Sync, SyncDirectory, Unlink, Commit, Remove };
  Kind kind = Kind::Write;
  std::uint32_t path_size = 0;
  std::uint64_t offset = 0;  // Truncate: the new size. Commit, Remove: the snapshot's number
  std::uint64_t size = 0;    // of the bytes that follow the path
};

}  // namespace icecore::test
