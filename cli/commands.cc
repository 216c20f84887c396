// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include <algorithm>
#include <array>

namespace icecore::cli {

std::span<const Command> commands() {
  static const std::array kCommands = {
      doctor_command(),
      completion_command(),
      help_command(),
  };
  return kCommands;
}

const Command* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : &*found;
}

}  // namespace icecore::cli
