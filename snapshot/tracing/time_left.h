// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <optional>

namespace icecore::snapshot {

/// The time limit of a select(), pselect6() or ppoll() that a stop of ours has cut short. The
/// kernel writes what is left of it to the program's memory and starts the call again with that, so
/// that the time of the stop would not count.
class TimeLeft {
 public:
  /// At the stop, with the registers that the thread has there; nullopt for any other call.
  static std::optional<TimeLeft> find(const user_regs_struct& registers);
  /// When the thread is let go: takes the time since then off what is left. When it cannot, the
  /// call ends late.
  void count_stop(int pid) const;

 private:
  enum class Form { Timeval, Timespec };
  TimeLeft(Form form, std::uint64_t address, std::int64_t stopped_ns)
      : form_(form), address_(address), stopped_ns_(stopped_ns) {}

  Form form_;
  std::uint64_t address_;
  std::int64_t stopped_ns_;
};

}  // namespace icecore::snapshot
