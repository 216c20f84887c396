// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include <algorithm>
#include <array>

namespace icecore::cli {

std::span<const Command> commands() {
  // One verb per line.
  // clang-format off
  static const std::array kCommands = {
      run_command(),
      attach_command(),
      snap_command(),
      freeze_command(),
      thaw_command(),
      state_command(),
      list_command(),
      show_command(),
      bt_command(),
      dis_command(),
      diff_command(),
      check_command(),
      export_command(),
      gdb_command(),
      serve_command(),
      gdbserver_command(),
      restore_command(),
      image_build_command(),
      image_run_command(),
      image_warm_command(),
      image_list_command(),
      image_show_command(),
      image_export_command(),
      image_import_command(),
      image_verify_command(),
      image_rm_command(),
      tag_command(),
      rm_command(),
      gc_command(),
      verify_command(),
      doctor_command(),
      completion_command(),
      help_command(),
      complete_command(),
  };
  // clang-format on
  return kCommands;
}

const Command* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : &*found;
}

}  // namespace icecore::cli
