// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::gdbstub {

[[nodiscard]] std::span<const std::byte> as_bytes(std::string_view text);
[[nodiscard]] std::string as_text(std::span<const std::byte> bytes);

/// Two lower-case digits per byte.
[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);
[[nodiscard]] std::string to_hex(std::string_view text);
/// nullopt for an odd length or a character that is no hex digit.
[[nodiscard]] std::optional<std::vector<std::byte>> from_hex(std::string_view text);

/// A number as the protocol writes it: hex without leading zeros.
[[nodiscard]] std::string hex_number(std::uint64_t value);
/// nullopt for an empty text, another character, or more than 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_hex_number(std::string_view text);
/// -1 for a character that is no hex digit.
[[nodiscard]] int hex_digit(char character);

}  // namespace icecore::gdbstub
