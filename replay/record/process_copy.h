// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/unique_fd.h"

namespace icecore::replay {

/// Memory of a stopped process that we trace, whatever its protection is.
class TracedMemory {
 public:
  explicit TracedMemory(int pid);
  /// Bytes copied up to the first that is not there.
  std::size_t read_some(std::uint64_t address, std::span<std::byte> out) const;
  /// All of it, or these throw.
  void read(std::uint64_t address, std::span<std::byte> out) const;
  void write(std::uint64_t address, std::span<const std::byte> bytes) const;
  void write(std::uint64_t address, const std::string& bytes) const;

 private:
  int pid_;
  UniqueFd file_;
};

/// A process that we made by copying a stopped one (fork without the program's knowledge): stopped,
/// traced by this thread, all its signals blocked, unknown to the program's other processes. It
/// shares memory with its original until either writes. Killed and reaped by the destructor.
class ProcessCopy {
 public:
  explicit ProcessCopy(int pid) : pid_(pid), memory_(pid) {}
  ProcessCopy(const ProcessCopy&) = delete;
  ProcessCopy& operator=(const ProcessCopy&) = delete;
  ~ProcessCopy();

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] const TracedMemory& memory() const { return memory_; }

 private:
  int pid_;
  TracedMemory memory_;
};

/// Copies process `pid`, single-threaded, traced by this thread with PTRACE_O_TRACECLONE and
/// PTRACE_O_TRACESYSGOOD, and stopped anywhere but inside a system call that has not come back. The
/// copy is at the same instruction with the same registers. `instruction` is the address of a
/// `syscall` in the process. The process is afterwards in another kind of stop: a signal that it
/// was about to take is the caller's to deliver.
std::unique_ptr<ProcessCopy> copy_process(int pid, std::uint64_t instruction);

/// Dead copies of a program that is not our child remain with it until it waits for them: it is
/// made to, stopped as for copy_process(), which does the same.
void bury_copies(int pid, std::uint64_t instruction);

/// copy_process() of one that is stopped at the entry to a system call, at which it is again
/// afterwards. The copy is in front of the call.
std::unique_ptr<ProcessCopy> copy_process_at_entry(int pid);

}  // namespace icecore::replay
