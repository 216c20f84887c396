// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/syscall.h"

#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {

SyscallLine parse_syscall(std::string_view text) {
  SyscallLine parsed;
  std::string_view line = take_line(text);
  const auto number = to_number<std::int64_t>(take_word(line));
  if (!number) return parsed;  // "running"
  parsed.number = *number;
  parsed.where = *number < 0 ? SyscallLine::Where::UserCode : SyscallLine::Where::SystemCall;
  if (parsed.where == SyscallLine::Where::SystemCall) {
    for (std::uint64_t& argument : parsed.arguments) {
      argument = to_address(take_word(line)).value_or(0);
    }
  }
  parsed.stack_pointer = to_address(take_word(line)).value_or(0);
  parsed.program_counter = to_address(take_word(line)).value_or(0);
  return parsed;
}

}  // namespace icecore::snapshot::proc
