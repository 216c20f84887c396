// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace icecore::replay {

/// The directory `path` below `root`, made with all that is missing on the way. What was made is
/// removed with this object, so that whoever still has it open sees a deleted directory.
class PassingDirectories {
 public:
  PassingDirectories(int root, const std::string& path);
  PassingDirectories(const PassingDirectories&) = delete;
  PassingDirectories& operator=(const PassingDirectories&) = delete;
  ~PassingDirectories();

  /// O_PATH; invalid when it could not be made, errno() says why.
  [[nodiscard]] const UniqueFd& fd() const { return fd_; }
  [[nodiscard]] UniqueFd take() { return std::move(fd_); }
  [[nodiscard]] int error() const { return error_; }
  /// Whether the last part was missing.
  [[nodiscard]] bool made() const { return !made_.empty(); }

 private:
  struct Made {
    UniqueFd parent;
    std::string name;
  };
  UniqueFd fd_;
  int error_ = 0;
  std::vector<Made> made_;
};

}  // namespace icecore::replay
