// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <optional>

namespace icecore::snapshot {

/// The relative timeout of a call that answers -EINTR, where it is and in what form.
struct CallTimeout {
  enum class Form {
    Milliseconds,  ///< an argument
    Timespec,      ///< an argument points to it
    Timeval,       ///< the same
    RingArgument,  ///< an argument points to an io_uring_getevents_arg, which points to it
    SocketOption,  ///< SO_RCVTIMEO or SO_SNDTIMEO: nothing that one call could have changed
  };
  Form form = Form::Milliseconds;
  int argument = 0;
  std::int64_t nanoseconds = 0;
  std::int64_t result = 0;  ///< of the call when the time is over; for SocketOption only

  /// Of the call that `registers` are in; nullopt: none, for ever, or absolute.
  static std::optional<CallTimeout> find(int pid, const user_regs_struct& registers);
  /// Of a call that answers -ERESTART_RESTARTBLOCK; nullopt also when its time is not that of
  /// CLOCK_MONOTONIC.
  static std::optional<CallTimeout> find_of_sleep(int pid, const user_regs_struct& registers);
  /// find() for a thread that has not been stopped, from /proc/PID/task/TID/syscall.
  static std::optional<CallTimeout> find_asleep(int pid, int tid);
};

unsigned long long& call_argument(user_regs_struct& registers, int index);
unsigned long long call_argument(const user_regs_struct& registers, int index);

}  // namespace icecore::snapshot
