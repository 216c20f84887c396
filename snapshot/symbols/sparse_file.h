// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/unique_fd.h"

namespace icecore::symbols {

/// A file that gets its name only when it is complete; pages of zeros become holes. Without
/// commit() nothing is left behind.
class SparseFile {
 public:
  explicit SparseFile(std::string path);
  SparseFile(const SparseFile&) = delete;
  SparseFile& operator=(const SparseFile&) = delete;
  ~SparseFile();

  /// Writes what is not zero; pages are counted from `offset`.
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Gives it its final size and name, replacing a file that was there.
  void commit(std::uint64_t size);

  [[nodiscard]] std::uint64_t written_bytes() const { return written_bytes_; }

 private:
  void write_all(std::uint64_t offset, std::span<const std::byte> bytes);

  std::string path_;
  std::string temporary_path_;
  UniqueFd fd_;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace icecore::symbols
