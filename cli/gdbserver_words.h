// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/invocation.h"
#include "gdbstub/address.h"
#include "gdbstub/target/launching.h"

namespace icecore::cli {

/// What a command line of gdbserver asks for.
struct GdbserverWords {
  gdbstub::ListenAddress address;
  /// What to start; its program is empty when there is nothing to start.
  gdbstub::LaunchRequest launch;
  std::vector<std::string> wrapper;
  std::optional<std::int32_t> attach;
  bool multi = false;
  bool once = false;
};

/// Throws UsageError, in gdbserver's sense: "COMM PROG ARGS", "--attach COMM PID", "--multi COMM".
[[nodiscard]] GdbserverWords parse_gdbserver_words(const Invocation& invocation);

}  // namespace icecore::cli
