// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace icecore::snapshot::proc {

/// The first line of `text`, without its newline; `text` goes on behind it.
inline std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

inline void skip_blanks(std::string_view& text) {
  const auto begin = text.find_first_not_of(" \t");
  text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
}

/// The next word, words being separated by blanks and tabs; empty at the end.
inline std::string_view take_word(std::string_view& text) {
  skip_blanks(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

/// `text` as a whole number; nullopt when it is anything else or too large.
template <std::integral Integer>
std::optional<Integer> to_number(std::string_view text, int base = 10) {
  Integer value{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

/// The next word as a number; 0 when it is none, as for a field that an older kernel does not have.
template <std::integral Integer>
Integer take_number(std::string_view& text, int base = 10) {
  return to_number<Integer>(take_word(text), base).value_or(0);
}

/// "0x" numbers of the kernel: hexadecimal with or without the prefix.
inline std::optional<unsigned long> to_address(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  return to_number<unsigned long>(text, 16);
}

/// Undoes the kernel's mangle_path(): "\040" is a blank.
std::string unescape_octal(std::string_view text);

}  // namespace icecore::snapshot::proc
