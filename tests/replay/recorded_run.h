// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replay/record/event_log.h"
#include "replay/record/event_recorder.h"
#include "replay/record/process_copy.h"
#include "snapshot/tracing/affinity.h"
#include "snapshot/tracing/launch.h"

namespace icecore::replay::test {

/// A victim started, traced and recorded from its first instruction on, on one CPU with the test.
/// Killed by the destructor.
class RecordedRun {
 public:
  explicit RecordedRun(const std::vector<std::string>& arguments);
  ~RecordedRun();

  /// Runs to the next stop behind an event, or in front of a signal handler; false when it ended.
  bool advance();
  /// Runs until `address` is reached; false when it ended instead.
  bool run_to(std::uint64_t address);
  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] const EventLog& log() const { return log_; }
  [[nodiscard]] EventRecorder& recorder() { return *recorder_; }
  [[nodiscard]] std::unique_ptr<ProcessCopy> copy() const;
  /// Why recording could not go on, of the last stop that had one.
  [[nodiscard]] const std::string& gap() const { return gap_; }
  [[nodiscard]] int exit_status() const { return exit_status_; }

 private:
  bool take_stop(int status);

  snapshot::AffinityScope affinity_;
  int pid_ = 0;
  int signal_ = 0;
  int exit_status_ = -1;
  bool inside_ = false;
  EventLog log_;
  std::unique_ptr<EventRecorder> recorder_;
  std::string gap_;
};

/// Address of a symbol of the program that process `pid` runs, as it is loaded.
std::uint64_t address_of(int pid, const std::string& symbol);

}  // namespace icecore::replay::test
