// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/agent_format.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace icecore::gdbstub {
namespace {

constexpr std::size_t kWidest = 4096;
constexpr std::size_t kLongestString = 4096;

/// "%-08.3lx" taken apart.
struct Conversion {
  bool left = false;
  bool zeros = false;
  bool plus = false;
  bool space = false;
  bool alternate = false;
  std::size_t width = 0;
  std::size_t precision = std::string_view::npos;
  unsigned bits = 32;
  char letter = 0;
};

bool take_flag(Conversion& conversion, char character) {
  switch (character) {
    case '-':
      return conversion.left = true;
    case '0':
      return conversion.zeros = true;
    case '+':
      return conversion.plus = true;
    case ' ':
      return conversion.space = true;
    case '#':
      return conversion.alternate = true;
    default:
      return false;
  }
}

std::size_t take_number(std::string_view& rest) {
  std::size_t value = 0;
  while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
    value = std::min(value * 10 + static_cast<std::size_t>(rest.front() - '0'), kWidest);
    rest.remove_prefix(1);
  }
  return value;
}

unsigned take_size(std::string_view& rest) {
  const auto take = [&](std::string_view word) {
    if (!rest.starts_with(word)) return false;
    rest.remove_prefix(word.size());
    return true;
  };
  if (take("hh")) return 8;
  if (take("h")) return 16;
  if (take("ll") || take("l") || take("j") || take("z") || take("t")) return 64;
  return 32;
}

/// Takes what follows '%' from the front of `rest`.
Conversion take_conversion(std::string_view& rest) {
  Conversion conversion;
  while (!rest.empty() && take_flag(conversion, rest.front())) rest.remove_prefix(1);
  conversion.width = take_number(rest);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    conversion.precision = take_number(rest);
  }
  conversion.bits = take_size(rest);
  if (!rest.empty()) {
    conversion.letter = rest.front();
    rest.remove_prefix(1);
  }
  return conversion;
}

std::string digits_of(std::uint64_t value, int base) {
  std::array<char, 24> buffer{};
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value, base).ptr;
  return {buffer.begin(), end};
}

std::string padded(std::string prefix, std::string body, const Conversion& conversion) {
  const std::size_t size = prefix.size() + body.size();
  const std::size_t missing = conversion.width > size ? conversion.width - size : 0;
  if (conversion.left) return prefix + body + std::string(missing, ' ');
  if (conversion.zeros) return prefix + std::string(missing, '0') + body;
  return std::string(missing, ' ') + prefix + body;
}

std::string whole_number(std::string prefix, std::string digits, Conversion conversion) {
  if (conversion.precision != std::string_view::npos) {
    conversion.zeros = false;
    if (digits.size() < conversion.precision) {
      digits.insert(0, conversion.precision - digits.size(), '0');
    }
  }
  return padded(std::move(prefix), std::move(digits), conversion);
}

std::string signed_number(std::uint64_t value, const Conversion& conversion) {
  const unsigned unused = 64 - conversion.bits;
  const auto number = static_cast<std::int64_t>(value << unused) >> unused;
  const auto raw = static_cast<std::uint64_t>(number);
  const char* sign = conversion.plus ? "+" : conversion.space ? " " : "";
  return whole_number(number < 0 ? "-" : sign, digits_of(number < 0 ? 0 - raw : raw, 10),
                      conversion);
}

std::string unsigned_number(std::uint64_t value, const Conversion& conversion) {
  const unsigned unused = 64 - conversion.bits;
  const std::uint64_t number = value << unused >> unused;
  const char letter = conversion.letter;
  const int base = letter == 'u' ? 10 : letter == 'o' ? 8 : 16;
  std::string digits = digits_of(number, base);
  if (letter == 'X') {
    std::ranges::transform(digits, digits.begin(), [](char digit) {
      return digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit;
    });
  }
  const bool has_prefix = conversion.alternate && base == 16 && number != 0;
  return whole_number(has_prefix ? (letter == 'X' ? "0X" : "0x") : "", std::move(digits),
                      conversion);
}

std::string string_at(std::uint64_t address, std::size_t limit, const ProcessMemory& memory) {
  constexpr std::size_t kPiece = 256;
  if (address == 0) return "(null)";
  std::string text;
  while (text.size() < limit) {
    std::array<std::byte, kPiece> piece{};
    const std::size_t got = memory.target.read_memory(memory.pid, address + text.size(), piece);
    const std::string_view bytes(reinterpret_cast<const char*>(piece.data()), got);
    const std::size_t end = bytes.find('\0');
    text += bytes.substr(0, end);
    if (got < kPiece || end != std::string_view::npos) break;
  }
  return text.substr(0, limit);
}

std::string converted(const Conversion& conversion, std::uint64_t value,
                      const ProcessMemory& memory) {
  switch (conversion.letter) {
    case 'd':
    case 'i':
      return signed_number(value, conversion);
    case 'c':
      return padded("", std::string(1, static_cast<char>(value)), conversion);
    case 's':
      return padded("", string_at(value, std::min(conversion.precision, kLongestString), memory),
                    conversion);
    case 'p':
      return padded("", "0x" + digits_of(value, 16), conversion);
    default:
      return unsigned_number(value, conversion);
  }
}

}  // namespace

std::string format_agent_text(std::string_view format, std::span<const std::uint64_t> arguments,
                              const ProcessMemory& memory) {
  std::string text;
  while (!format.empty()) {
    const std::size_t plain = std::min(format.find('%'), format.size());
    text += format.substr(0, plain);
    format.remove_prefix(plain);
    if (format.empty()) break;
    std::string_view rest = format.substr(1);
    const Conversion conversion = take_conversion(rest);
    const std::string_view written = format.substr(0, format.size() - rest.size());
    format = rest;
    if (written == "%%") {
      text += '%';
    } else if (std::string_view("diuxXocsp").find(conversion.letter) == std::string_view::npos ||
               conversion.letter == 0 || arguments.empty()) {
      text += written;
    } else {
      text += converted(conversion, arguments.front(), memory);
      arguments = arguments.subspan(1);
    }
  }
  return text;
}

}  // namespace icecore::gdbstub
