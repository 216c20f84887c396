// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "base/unique_fd.h"

namespace icecore::cli {

/// A directory that only this user can enter, below $XDG_RUNTIME_DIR or the directory for temporary
/// files; removed with all it holds. What was left by those of us who were killed is removed when
/// the next one is made.
class PrivateDirectory {
 public:
  PrivateDirectory();
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file into it and returns its path.
  std::filesystem::path write(std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
  UniqueFd lock_;  ///< flock(2) of the directory: it is in use
};

}  // namespace icecore::cli
