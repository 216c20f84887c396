// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "base/unique_fd.h"

namespace icecore::cli {

/// Several copies at once, each in the foreground of a process of ours: signals are passed on to
/// all, and the crew ends with the last.
class CopyCrew {
 public:
  /// What one process of the crew does: returns its exit status; calls `started` with the copy's
  /// pid when it runs.
  using Work = std::function<int(int number, const std::function<void(int pid)>& started)>;

  /// Starts `count` processes, numbered from 1.
  CopyCrew(int count, const Work& work);
  CopyCrew(const CopyCrew&) = delete;
  CopyCrew& operator=(const CopyCrew&) = delete;
  ~CopyCrew();

  /// The pids of the copies, when all run; throws Error when one does not come to that.
  std::vector<int> wait_until_started();
  /// 0 when all ended with 0, else the first other status.
  int wait();

 private:
  void take_signals();
  void take_children();

  std::vector<int> children_;
  UniqueFd starts_;
  UniqueFd signals_;
  int status_ = 0;
};

}  // namespace icecore::cli
