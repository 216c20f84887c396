// SPDX-License-Identifier: Apache-2.0
#include "replay/files/kernel_lines.h"

#include "base/clock.h"
#include "snapshot/proc/text.h"

namespace icecore::replay {
namespace {

namespace proc = snapshot::proc;

/// What follows "name:", without the blanks before it.
std::string_view find_line(const model::OpenFile& file, std::string_view name) {
  for (const std::string& text : file.fdinfo()) {
    std::string_view line = text;
    if (line.size() <= name.size() || !line.starts_with(name) || line[name.size()] != ':') continue;
    line.remove_prefix(name.size() + 1);
    proc::skip_blanks(line);
    return line;
  }
  return {};
}

template <typename Number>
Number number_line(const model::OpenFile& file, std::string_view name, int base) {
  std::string_view line = find_line(file, name);
  if (base == 16 && line.starts_with("0x")) line.remove_prefix(2);
  return proc::take_number<Number>(line, base);
}

}  // namespace

std::uint64_t decimal_line(const model::OpenFile& file, std::string_view name) {
  return number_line<std::uint64_t>(file, name, 10);
}

std::uint64_t hex_line(const model::OpenFile& file, std::string_view name) {
  return number_line<std::uint64_t>(file, name, 16);
}

std::uint64_t octal_line(const model::OpenFile& file, std::string_view name) {
  return number_line<std::uint64_t>(file, name, 8);
}

std::int64_t signed_line(const model::OpenFile& file, std::string_view name) {
  return number_line<std::int64_t>(file, name, 10);
}

std::int64_t time_pair_line(const model::OpenFile& file, std::string_view name) {
  std::string_view line = find_line(file, name);
  const auto open = line.find('(');
  const auto comma = line.find(',');
  const auto close = line.find(')');
  if (open == line.npos || comma == line.npos || close == line.npos || close < comma) return 0;
  const auto seconds = line.substr(open + 1, comma - open - 1);
  std::string_view rest = line.substr(comma + 1, close - comma - 1);
  return proc::to_number<std::int64_t>(seconds).value_or(0) * kNsPerSecond +
         proc::take_number<std::int64_t>(rest);
}

std::uint64_t hex_word(std::string_view line, std::string_view name) {
  const auto at = line.find(name);
  if (at == line.npos) return 0;
  line.remove_prefix(at + name.size());
  return proc::take_number<std::uint64_t>(line, 16);
}

}  // namespace icecore::replay
