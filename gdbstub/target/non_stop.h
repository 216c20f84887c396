// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "gdbstub/target/stop_reason.h"

namespace icecore::gdbstub {

/// Stopping threads one by one. In non-stop mode Execution means something else:
///  - resume() may be called while others run; actions concern threads that stand still, but
///    ResumeAction::Kind::Stop those that run: each of them stops and is an event Signalled{0};
///  - interrupt() stops every thread and tells one event, Signalled{SIGINT};
///  - next_event() tells of one thread at a time while the others run on, and a thread that has
///    stopped stands still until it is resumed;
///  - memory is readable and writable while threads run, registers of running threads are not.
class NonStop {
 public:
  enum class Mode { AllStop, NonStop };
  virtual ~NonStop() = default;
  /// All-stop at first. Going to AllStop stops what runs, without an event.
  virtual void set_mode(Mode mode) = 0;
  /// Every thread that stands still and why, those already told by next_event() included.
  virtual std::vector<StopEvent> stopped_threads() = 0;
};

}  // namespace icecore::gdbstub
