// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace icecore::symbols {

/// How much of a text is shown.
constexpr std::size_t kMaxText = 64;

/// The first eight bytes at most, little-endian.
std::uint64_t to_unsigned(std::span<const std::byte> value);

/// "0x2a".
std::string hex_number(std::uint64_t number);

/// Bytes without a type: a number in hex, or the first bytes.
std::string format_untyped(std::span<const std::byte> value);

/// The characters up to the first zero, quoted.
std::string format_text(std::span<const std::byte> value);

/// Whether arrays of this (peeled) type are text.
bool is_character(Dwarf_Die type);

/// A number of DW_TAG_base_type `type`.
std::string format_base(Dwarf_Die type, std::span<const std::byte> value);

/// The same for an integer that has only `bits` bits.
std::string format_integer(Dwarf_Die type, std::uint64_t number, std::uint64_t bits);

/// The name of an enumerator, or the number when none has it.
std::string format_enumeration(Dwarf_Die type, std::uint64_t number, std::uint64_t bits);

}  // namespace icecore::symbols
