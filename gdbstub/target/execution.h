// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "gdbstub/target/stop_reason.h"
#include "gdbstub/target/thread.h"

namespace icecore::gdbstub {

/// What the threads that `threads` selects shall do; the first action that matches a thread counts.
/// Threads that no action matches stand still. Stop is for non-stop mode only (non_stop.h).
struct ResumeAction {
  enum class Kind { Continue, Step, StepRange, Stop };
  Kind kind = Kind::Continue;
  ThreadSelector threads;
  int signal = 0;                 ///< delivered on the way, 0 for none
  std::uint64_t range_start = 0;  ///< StepRange: steps while pc is in [range_start, range_end)
  std::uint64_t range_end = 0;
};

/// Makes a stopped target go on. For a read-only view this is travel to the next snapshot.
class Execution {
 public:
  virtual ~Execution() = default;

  /// Returns at once; what comes of it is told by next_event().
  virtual void resume(std::span<const ResumeAction> actions) = 0;
  /// Asks for a stop soon, as Ctrl-C does. While everything stands still it is kept for the next
  /// resume(): a stop that the client had not seen yet has overtaken it, and the client goes on by
  /// itself, from an internal breakpoint for one.
  virtual void interrupt() = 0;
  /// The next thing that happened; nullopt when nothing has yet. From an event on everything stands
  /// still until the next resume() (but see non_stop.h), and what else happened meanwhile is told
  /// then.
  virtual std::optional<StopEvent> next_event() = 0;
  /// What the user should know of the event that next_event() gave last: lines, or nothing.
  /// All-stop mode only.
  virtual std::string take_message() { return {}; }
  /// Readable when next_event() may have something; -1 when next_event() always has.
  [[nodiscard]] virtual int event_descriptor() const { return -1; }
};

/// Makes a stopped target go back in time. Its outcome arrives through Execution::next_event().
class ReverseExecution {
 public:
  virtual ~ReverseExecution() = default;
  /// How to ask, while these search, whether the client has said something: what comes while it
  /// waits for them is an interrupt. Null for never. Those that take no time need not ask.
  using ClientSpeaks = std::function<bool()>;
  virtual void listen_meanwhile(ClientSpeaks /*client_speaks*/) {}
  virtual void continue_backward(ThreadId thread) = 0;
  virtual void step_backward(ThreadId thread) = 0;
};

}  // namespace icecore::gdbstub
