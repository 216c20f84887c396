// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace icecore::test {

/// An empty directory that only this test knows, removed with all it holds.
class TempDirectory {
 public:
  TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace icecore::test
