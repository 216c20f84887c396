// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/hex.h"

namespace icecore::gdbstub {
namespace {
constexpr char kDigits[] = "0123456789abcdef";
}  // namespace

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string as_text(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 0xfU];
  }
  return text;
}

std::string to_hex(std::string_view text) { return to_hex(as_bytes(text)); }

int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

std::string hex_number(std::uint64_t value) {
  std::string text;
  do {
    text.insert(text.begin(), kDigits[value & 0xfU]);
    value >>= 4U;
  } while (value != 0);
  return text;
}

std::optional<std::uint64_t> parse_hex_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char character : text) {
    const int digit = hex_digit(character);
    if (digit < 0 || value >> 60U != 0) return std::nullopt;
    value = value << 4U | static_cast<unsigned>(digit);
  }
  return value;
}

}  // namespace icecore::gdbstub
