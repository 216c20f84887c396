// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

/// Bytes that came into the process from outside.
struct MemoryWrite {
  std::uint64_t address = 0;
  std::string bytes;
};

/// A system call that came back. `next` is the address behind its instruction.
struct RecordedCall {
  std::int64_t number = 0;
  std::array<std::uint64_t, 6> arguments{};
  std::uint64_t next = 0;
  std::int64_t result = 0;
  /// Nothing but rax, rcx and r11, and these bytes, changed.
  std::vector<MemoryWrite> writes;
};

/// A system call that changed the layout of memory, or a register that is not among the general
/// ones: it is made again, with the same addresses.
struct LayoutCall {
  RecordedCall call;
  /// What a mapped file held, which need not be there any more; the rest of the mapping is zeros.
  std::string content;
};

/// rt_sigreturn(2): all of the thread's state came from a frame in its memory.
struct SignalReturn {
  std::uint64_t next = 0;
  user_regs_struct registers{};
  std::string xstate;
};

/// The thread was made another between two of its instructions: a handler was entered, or a
/// debugger changed registers or memory. `before` is where it was then: inside the call that it
/// names, at the instruction that faulted, behind the event before, or anywhere.
struct Interruption {
  enum class Place { InCall, AtFault, BehindEvent, Anywhere };
  Place place = Place::Anywhere;
  int signal = 0;  ///< 0: by a debugger
  user_regs_struct before{};
  user_regs_struct after{};
  /// Anywhere: of the vector registers before it, by which the place is recognised, too.
  std::string xstate_before;
  std::string xstate;
  /// The frame of the handler, or what the debugger wrote.
  std::vector<MemoryWrite> writes;
};

/// rdtsc or rdtscp. `aux` is what rdtscp leaves in rcx.
struct TimestampRead {
  std::uint64_t address = 0;
  std::uint64_t value = 0;
  std::uint32_t aux = 0;
};

/// Everything from outside that a single-threaded process met while it ran: with these, in this
/// order, it does the same again.
using Event = std::variant<RecordedCall, LayoutCall, SignalReturn, Interruption, TimestampRead>;

/// What an event costs to keep, bytes.
std::size_t size_of(const Event& event);

}  // namespace icecore::replay
