// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace icecore::store {

/// A lock file that names its owner's pid; gone with the object or the process.
class FileLock {
 public:
  /// nullopt when another process, or another object of this one, has it.
  static std::optional<FileLock> try_take(const std::filesystem::path& file);
  /// Waits until it is free.
  static FileLock wait_for(const std::filesystem::path& file);

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) noexcept = default;

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Whether anybody has it; asking does not get in the way of one who wants it.
[[nodiscard]] bool is_locked(const std::filesystem::path& file);

/// The pid in a lock file, as text; "?" when there is none.
[[nodiscard]] std::string lock_owner(const std::filesystem::path& file);

/// For the writer of one recording.
[[nodiscard]] std::filesystem::path recording_lock_path(const std::filesystem::path& store,
                                                        std::string_view recording);
/// For gc and rm among themselves.
[[nodiscard]] std::filesystem::path collector_lock_path(const std::filesystem::path& store);

}  // namespace icecore::store
