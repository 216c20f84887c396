// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace icecore::cli {

// One line per verb, each defined in cli/<verb>_command.cc; commands.cc lists them in the order of
// help.
[[nodiscard]] Command run_command();
[[nodiscard]] Command attach_command();
[[nodiscard]] Command snap_command();
[[nodiscard]] Command freeze_command();
[[nodiscard]] Command thaw_command();
[[nodiscard]] Command state_command();
[[nodiscard]] Command list_command();
[[nodiscard]] Command show_command();
[[nodiscard]] Command bt_command();
[[nodiscard]] Command dis_command();
[[nodiscard]] Command diff_command();
[[nodiscard]] Command export_command();
[[nodiscard]] Command gdb_command();
[[nodiscard]] Command serve_command();
[[nodiscard]] Command gdbserver_command();
[[nodiscard]] Command restore_command();
[[nodiscard]] Command image_build_command();
[[nodiscard]] Command image_run_command();
[[nodiscard]] Command image_list_command();
[[nodiscard]] Command image_show_command();
[[nodiscard]] Command image_rm_command();
[[nodiscard]] Command image_warm_command();
[[nodiscard]] Command image_export_command();
[[nodiscard]] Command image_import_command();
[[nodiscard]] Command image_verify_command();
[[nodiscard]] Command tag_command();
[[nodiscard]] Command rm_command();
[[nodiscard]] Command gc_command();
[[nodiscard]] Command verify_command();
[[nodiscard]] Command check_command();
[[nodiscard]] Command doctor_command();
[[nodiscard]] Command completion_command();
[[nodiscard]] Command complete_command();
[[nodiscard]] Command help_command();

/// All verbs, in the order in which `icecore help` shows them.
[[nodiscard]] std::span<const Command> commands();
/// The verb of that name, or null.
[[nodiscard]] const Command* find_command(std::string_view name);

}  // namespace icecore::cli
