// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/scalar_formatter.h"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>

#include "snapshot/symbols/dwarf_types.h"

namespace icecore::symbols {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kMaxBytes = 16;

template <typename... Values>
std::string print(const char* format, Values... values) {
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

std::int64_t sign_extended(std::uint64_t number, std::uint64_t bits) {
  if (bits == 0 || bits >= 64) return static_cast<std::int64_t>(number);
  const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  return static_cast<std::int64_t>((number ^ sign) - sign);
}

std::string in_quotes(const std::string& text, const char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      result += std::string("\\") + c;
    } else if (std::isprint(static_cast<unsigned char>(c)) != 0) {
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += print("\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return result + quote;
}

std::string format_float(Bytes value) {
  float single = 0;
  double real = 0;
  long double extended = 0;
  switch (value.size()) {
    case sizeof single:
      std::memcpy(&single, value.data(), sizeof single);
      return print("%.9g", static_cast<double>(single));
    case sizeof real:
      std::memcpy(&real, value.data(), sizeof real);
      return print("%.17g", real);
    case sizeof extended:
      std::memcpy(&extended, value.data(), sizeof extended);
      return print("%.21Lg", extended);
    default:
      return format_untyped(value);
  }
}

}  // namespace

std::uint64_t to_unsigned(Bytes value) {
  std::uint64_t number = 0;
  std::memcpy(&number, value.data(), std::min(value.size(), sizeof number));
  return number;
}

std::string hex_number(std::uint64_t number) { return print("0x%lx", number); }

std::string format_untyped(std::span<const std::byte> value) {
  if (value.size() <= sizeof(std::uint64_t)) return hex_number(to_unsigned(value));
  std::string text;
  for (const std::byte byte : value.first(std::min(value.size(), kMaxBytes))) {
    text += print(text.empty() ? "%02x" : " %02x", std::to_integer<unsigned>(byte));
  }
  return text + (value.size() > kMaxBytes ? " ..." : "");
}

std::string format_text(Bytes value) {
  std::string text(reinterpret_cast<const char*>(value.data()), std::min(value.size(), kMaxText));
  const std::size_t end = text.find('\0');
  if (end != std::string::npos) return in_quotes(text.substr(0, end), '"');
  return in_quotes(text, '"') + (value.size() > kMaxText ? "..." : "");
}

bool is_character(Dwarf_Die type) {
  const std::uint64_t encoding = unsigned_attribute(type, DW_AT_encoding).value_or(0);
  // "unsigned char" is a byte as often as a character; text in it is seen by format_array.
  return ::dwarf_tag(&type) == DW_TAG_base_type && type_size(type) == 1 &&
         (encoding == DW_ATE_signed_char || encoding == DW_ATE_UTF);
}

std::string format_integer(Dwarf_Die type, std::uint64_t number, std::uint64_t bits) {
  switch (unsigned_attribute(type, DW_AT_encoding).value_or(DW_ATE_unsigned)) {
    case DW_ATE_boolean:
      return number == 0 ? "false" : number == 1 ? "true" : std::to_string(number);
    case DW_ATE_signed:
      return std::to_string(sign_extended(number, bits));
    case DW_ATE_signed_char:
    case DW_ATE_UTF: {
      const std::string text = std::to_string(sign_extended(number, bits));
      const auto character = static_cast<unsigned char>(number);
      return number < 128 && std::isprint(character) != 0
                 ? text + " " + in_quotes(std::string(1, static_cast<char>(character)), '\'')
                 : text;
    }
    default:
      return std::to_string(number);
  }
}

std::string format_base(Dwarf_Die type, Bytes value) {
  const std::uint64_t encoding = unsigned_attribute(type, DW_AT_encoding).value_or(0);
  if (encoding == DW_ATE_float) return format_float(value);
  if (value.size() > sizeof(std::uint64_t) || encoding == DW_ATE_complex_float) {
    return format_untyped(value);
  }
  return format_integer(type, to_unsigned(value), value.size() * 8);
}

std::string format_enumeration(Dwarf_Die type, std::uint64_t number, std::uint64_t bits) {
  for (const std::int64_t value :
       {static_cast<std::int64_t>(number), sign_extended(number, bits)}) {
    if (const auto name = enumerator_name(type, value)) return *name;
  }
  return std::to_string(sign_extended(number, bits));
}

}  // namespace icecore::symbols
