// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace icecore {

/// What a log line is about. ICECORE_LOG=tracing,gdbstub (or "all") turns topics on; off by
/// default.
enum class Topic { Tracing, Freezer, Capture, Store, Gdbstub, Recorder };

[[nodiscard]] bool log_enabled(Topic topic);

/// Writes "topic message" as one line to stderr when the topic is on. Results never go this way.
void log(Topic topic, std::string_view message);

}  // namespace icecore
