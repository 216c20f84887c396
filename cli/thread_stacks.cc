// SPDX-License-Identifier: Apache-2.0
#include "cli/thread_stacks.h"

namespace icecore::cli {

std::string ThreadStacks::text(const model::Thread& thread, std::size_t limit,
                               const std::string& indent) const {
  const auto backtrace = stack(thread, limit);
  if (backtrace.lines.empty()) return indent + "its registers are not known\n";
  std::string text;
  for (const auto& line : backtrace.lines) text += indent + symbols::format_line(line) + "\n";
  if (backtrace.is_cut && limit == kWhole) text += indent + "... (more frames follow)\n";
  return text;
}

}  // namespace icecore::cli
