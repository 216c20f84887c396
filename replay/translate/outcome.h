// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <variant>

#include "snapshot/tracing/ptrace.h"

/// Why TranslatedRun::run() came back. In every case but Ended the thread is stopped with the
/// registers and memory that native execution has at TranslatedRun::point().
namespace icecore::replay {

/// At the point that was asked for.
struct PointReached {};
/// Past the wanted number of transfers, at a transfer, and the wanted pc did not come: there is no
/// such point in this execution.
struct PointMissed {};
/// In front of a place that stops; it was not executed.
struct PlaceReached {};
/// pc and the general registers are those of Limit::state. Flags, vector registers and memory were
/// not compared; run() again goes on to the next such point.
struct StateMatched {};
/// At a `syscall` instruction, which is never executed here: whoever runs the thread gives it the
/// result and moves its pc 2 on.
struct SystemCall {};

/// An instruction whose result is not a function of registers and memory. Not executed.
struct InputInstruction {
  enum class Kind { Rdtsc, Rdtscp, Rdpid, Cpuid, Rdrand, Rdseed, Rdpmc };
  Kind kind = Kind::Rdtsc;
  unsigned length = 0;  ///< bytes, to go past it
};

/// The instruction at the point raised a signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP of int3
/// or of the trap flag). The thread is in the stop before that signal's delivery: resuming it with
/// `signal` delivers it as in native execution; `siginfo` has been made native too.
struct Fault {
  int signal = 0;
  snapshot::SiginfoBytes siginfo{};
};

/// A debug register of the thread has trapped on the instruction before the point, exactly as it
/// does natively; DR6 says which.
struct WatchTrapped {};
/// Limit::keep_going said no. At some point between two transfers.
struct Interrupted {};
/// The thread is gone: `status` as of waitpid(2).
struct Ended {
  int status = 0;
};

using Outcome = std::variant<PointReached, PointMissed, PlaceReached, StateMatched, SystemCall,
                             InputInstruction, Fault, WatchTrapped, Interrupted, Ended>;

}  // namespace icecore::replay
