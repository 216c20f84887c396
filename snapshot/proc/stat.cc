// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/stat.h"

#include "base/error.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {
namespace {

void skip(std::string_view& text, int fields) {
  for (; fields > 0; --fields) take_word(text);
}

void parse_numbers(std::string_view text, Stat& stat) {
  stat.parent = take_number<int>(text);
  stat.process_group = take_number<int>(text);
  stat.session = take_number<int>(text);
  stat.terminal = take_number<int>(text);
  stat.foreground_group = take_number<int>(text);
  stat.flags = take_number<unsigned>(text);
  skip(text, 4);  // page faults
  stat.user_ticks = take_number<std::uint64_t>(text);
  stat.system_ticks = take_number<std::uint64_t>(text);
  skip(text, 3);  // times of waited-for children, priority
  stat.nice = take_number<int>(text);
  stat.threads = take_number<int>(text);
  skip(text, 1);
  stat.start_time = take_number<std::uint64_t>(text);
  skip(text, 3);  // vsize, rss, rsslim
  stat.start_code = take_number<std::uint64_t>(text);
  stat.end_code = take_number<std::uint64_t>(text);
  stat.start_stack = take_number<std::uint64_t>(text);
  skip(text, 10);  // kstkesp .. exit_signal
  stat.cpu = take_number<int>(text);
  stat.realtime_priority = take_number<unsigned>(text);
  stat.policy = take_number<unsigned>(text);
  skip(text, 3);  // block I/O delay, guest times
  stat.start_data = take_number<std::uint64_t>(text);
  stat.end_data = take_number<std::uint64_t>(text);
  stat.start_brk = take_number<std::uint64_t>(text);
  stat.arg_start = take_number<std::uint64_t>(text);
  stat.arg_end = take_number<std::uint64_t>(text);
  stat.env_start = take_number<std::uint64_t>(text);
  stat.env_end = take_number<std::uint64_t>(text);
  stat.exit_code = take_number<int>(text);
}

}  // namespace

Stat parse_stat(std::string_view text) {
  // The name may hold blanks, newlines and parentheses: it ends at the last one.
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
      close + 2 >= text.size()) {
    throw Error("the text of /proc/PID/stat has no name in parentheses");
  }
  Stat stat;
  std::string_view before = text.substr(0, open);
  stat.pid = take_number<int>(before);
  stat.name = text.substr(open + 1, close - open - 1);
  std::string_view rest = text.substr(close + 1);
  if (const auto end = rest.find('\n'); end != std::string_view::npos) rest = rest.substr(0, end);
  const std::string_view state = take_word(rest);
  if (state.size() != 1) throw Error("the text of /proc/PID/stat has no state");
  stat.state = state[0];
  parse_numbers(rest, stat);
  return stat;
}

}  // namespace icecore::snapshot::proc
