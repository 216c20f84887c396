// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "store/page_runs.h"
#include "store/types.h"

namespace icecore::store {

/// Which pages make up a file's content; the last one is filled up with zeros.
struct FileManifest {
  FileId id;
  std::uint64_t size = 0;
  VersionRuns runs;
};

/// Of an index row, which has the hash as a blob.
[[nodiscard]] FileId to_file_id(std::span<const std::byte> blob);

[[nodiscard]] std::vector<std::byte> encode(const FileManifest& manifest);
/// Throws Error on damaged bytes.
[[nodiscard]] FileManifest decode_file_manifest(std::span<const std::byte> body);

}  // namespace icecore::store
