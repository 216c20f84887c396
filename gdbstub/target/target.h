// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gdbstub/target/register_layout.h"
#include "gdbstub/target/stop_reason.h"
#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

class Allocation;
class Attaching;
class Breakpoints;
class EventChoice;
class Execution;
class HostFiles;
class Launching;
class Libraries;
class MemoryRegions;
class Monitor;
class NonStop;
class ProcessFacts;
class ReverseExecution;
class SignalDetails;
class SignalPassing;
class SystemCallCatching;
class SystemTables;
class ThreadLocalStorage;
class Writing;

/// What a debugger looks at: processes that stand still, with threads, registers and memory. All
/// else is an ability: a target that lacks one returns null, and then its packets are neither
/// advertised nor parsed. Used by one thread. Failures are thrown as Error and answered to that one
/// packet.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  /// Every thread of every process, grouped by process; the order is what the client shows. Empty
  /// while there is no process, as before the first launch.
  virtual std::vector<ThreadDescription> threads() = 0;
  /// Why it stands still now; its thread is the one that a client selects at first. What still runs
  /// for a client that went away is stopped first. Not asked while threads() is empty.
  virtual StopEvent current_stop() = 0;

  virtual const RegisterLayout& register_layout() = 0;
  virtual RegisterValues read_registers(ThreadId thread) = 0;
  /// Copies what is readable from `address` on; returns how many bytes that was. Never shows the
  /// target's own breakpoint instructions.
  virtual std::size_t read_memory(std::int32_t pid, std::uint64_t address,
                                  std::span<std::byte> out) = 0;

  /// The client lets go of a process, or wants it dead.
  virtual void detach(std::int32_t pid) = 0;
  virtual void kill(std::int32_t pid) = 0;

  virtual Allocation* allocation() { return nullptr; }
  virtual Attaching* attaching() { return nullptr; }
  virtual Breakpoints* breakpoints() { return nullptr; }
  virtual EventChoice* event_choice() { return nullptr; }
  virtual Execution* execution() { return nullptr; }
  virtual HostFiles* host_files() { return nullptr; }
  virtual Launching* launching() { return nullptr; }
  virtual Libraries* libraries() { return nullptr; }
  virtual MemoryRegions* memory_regions() { return nullptr; }
  virtual Monitor* monitor() { return nullptr; }
  virtual NonStop* non_stop() { return nullptr; }
  virtual ProcessFacts* process_facts() { return nullptr; }
  virtual ReverseExecution* reverse_execution() { return nullptr; }
  virtual SignalDetails* signal_details() { return nullptr; }
  virtual SignalPassing* signal_passing() { return nullptr; }
  virtual SystemCallCatching* system_call_catching() { return nullptr; }
  virtual SystemTables* system_tables() { return nullptr; }
  virtual ThreadLocalStorage* thread_local_storage() { return nullptr; }
  virtual Writing* writing() { return nullptr; }
};

}  // namespace icecore::gdbstub
