// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/commands/commands.h"
#include "gdbstub/target/execution.h"

namespace icecore::gdbstub::commands {

// gdb sends Hc once and then not again when another thread is selected: the thread to go back is
// the one of the last Hg.

Reply continue_backward(Context& context, std::string_view) {
  context.target.reverse_execution()->continue_backward(context.state.general);
  return Reply::when_stopped();
}

Reply step_backward(Context& context, std::string_view) {
  context.target.reverse_execution()->step_backward(context.state.general);
  return Reply::when_stopped();
}

}  // namespace icecore::gdbstub::commands
