// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <time.h>

#include <cstdint>

namespace icecore::snapshot {

/// Raises SIGCHLD in this process at a moment of CLOCK_MONOTONIC, so that whoever waits for news of
/// traced threads looks then, too.
class TracerAlarm {
 public:
  explicit TracerAlarm(std::int64_t moment_ns);
  TracerAlarm(const TracerAlarm&) = delete;
  TracerAlarm& operator=(const TracerAlarm&) = delete;
  ~TracerAlarm();

 private:
  timer_t timer_{};
};

}  // namespace icecore::snapshot
