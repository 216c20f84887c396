// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/maps.h"

#include <sys/sysmacros.h>

#include <string>

#include "base/error.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {
namespace {

[[noreturn]] void fail(std::string_view line) {
  throw Error("not a line of /proc/PID/maps: \"" + std::string(line) + "\"");
}

// Reads digits of `base` up to `stop`, which it takes too.
std::uint64_t take_digits(const char*& position, const char* end, unsigned base, char stop) {
  std::uint64_t value = 0;
  const char* begin = position;
  for (; position < end && *position != stop; ++position) {
    const char c = *position;
    unsigned digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (digit >= base) return ~std::uint64_t{0};
    value = value * base + digit;
  }
  if (position >= end || position == begin) return ~std::uint64_t{0};
  ++position;
  return value;
}

}  // namespace

MapsLine parse_maps_line(std::string_view line) {
  const char* position = line.data();
  const char* end = position + line.size();
  MapsLine parsed;
  parsed.start = take_digits(position, end, 16, '-');
  parsed.end = take_digits(position, end, 16, ' ');
  if (parsed.end <= parsed.start || end - position < 5) fail(line);
  parsed.readable = position[0] == 'r';
  parsed.writable = position[1] == 'w';
  parsed.executable = position[2] == 'x';
  parsed.shared = position[3] == 's';
  position += 5;
  parsed.offset = take_digits(position, end, 16, ' ');
  const auto major = take_digits(position, end, 16, ':');
  const auto minor = take_digits(position, end, 16, ' ');
  parsed.device = makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
  const char* inode = position;
  while (position < end && *position >= '0' && *position <= '9') ++position;
  const auto number = to_number<std::uint64_t>({inode, static_cast<std::size_t>(position - inode)});
  if (!number || parsed.offset == ~std::uint64_t{0} || minor > 0xfffff) fail(line);
  parsed.inode = *number;
  while (position < end && *position == ' ') ++position;
  parsed.name = {position, static_cast<std::size_t>(end - position)};
  return parsed;
}

std::vector<MapsLine> parse_maps(std::string_view text) {
  std::vector<MapsLine> lines;
  lines.reserve(text.size() / 90 + 1);
  while (!text.empty()) lines.push_back(parse_maps_line(take_line(text)));
  return lines;
}

bool take_deleted(std::string_view& name) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (!name.ends_with(kDeleted)) return false;
  name.remove_suffix(kDeleted.size());
  return true;
}

}  // namespace icecore::snapshot::proc
