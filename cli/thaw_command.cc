// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "cli/commands.h"
#include "cli/invocation.h"
#include "cli/recorders.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME|PID", Argument::Count::One, Completes::RecordingOrPid},
};

int run(const Invocation& invocation) {
  const auto directory = invocation.store_directory();
  const auto recorder = find_recorder(directory, invocation.argument(0));
  if (!recorder) throw_not_recorded(directory, invocation.argument(0));
  ask(directory, recorder->recording, "thaw");
  return 0;
}

}  // namespace

Command thaw_command() {
  return {.name = "thaw",
          .group = Group::Take,
          .summary = "let a frozen tree run again, or cancel a freeze",
          .usage = "thaw NAME|PID",
          .arguments = kArguments,
          .examples = "icecore thaw 4242",
          .run = run};
}

}  // namespace icecore::cli
