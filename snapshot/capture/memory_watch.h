// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/unique_fd.h"
#include "snapshot/tracing/remote_process.h"

namespace icecore::snapshot {

/// Watches the writes of one address space: a userfaultfd of that process, held by us, in
/// write-protect async mode (since Linux 6.7). The program only pays one short fault for the first
/// write to a page after each snapshot. Closing it (or our death) ends the watch without a trace.
class WriteWatch {
 public:
  /// Makes one inside the process and takes it over; nullopt where the kernel or the process's
  /// limits do not allow it.
  static std::optional<WriteWatch> create(RemoteProcess& process);

  /// Refused: the kernel cannot watch this mapping (vvar, a region with a userfaultfd of the
  /// program's own). Dead: the address space is gone, by exec or exit.
  enum class Answer { Watching, Refused, Dead };
  /// Begins to watch [start, end), one mapping.
  Answer watch(std::uint64_t start, std::uint64_t end);

 private:
  explicit WriteWatch(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace icecore::snapshot
