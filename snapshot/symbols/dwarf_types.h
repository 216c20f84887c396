// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace icecore::symbols {

/// One member of a struct, class or union, or a base class.
struct DwarfMember {
  std::string name;  // "<Base>" for a base class
  Dwarf_Die type;
  std::uint64_t offset = 0;
  /// Only for bit fields; the offset counts from `offset`, lowest bit first.
  std::uint64_t bit_size = 0;
  std::uint64_t bit_offset = 0;
};

/// The DIE that attribute `name` refers to, also through DW_AT_specification.
std::optional<Dwarf_Die> referred_die(Dwarf_Die die, unsigned name);

/// The type of a variable, member, typedef ...; nullopt for void.
std::optional<Dwarf_Die> type_of(Dwarf_Die die);

/// Without typedefs, const, volatile and the like.
Dwarf_Die peeled(Dwarf_Die type);

/// As in the source: "const char *", "Point[2]", "(anonymous struct)"; "void" for nullopt.
std::string type_name(std::optional<Dwarf_Die> type);

/// Bytes; 0 when unknown.
std::uint64_t type_size(Dwarf_Die type);

/// The members that objects of this type hold, base classes first.
std::vector<DwarfMember> members_of(Dwarf_Die type);

/// How many elements each dimension of an array has; 0 for an unknown one.
std::vector<std::uint64_t> array_dimensions(Dwarf_Die array);

/// The enumerator with this value; nullopt when there is none.
std::optional<std::string> enumerator_name(Dwarf_Die enumeration, std::int64_t value);

std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die die, unsigned name);
/// DW_AT_name, also of the declaration that the DIE completes; empty when it has none.
std::string die_name(Dwarf_Die die);
/// Calls `visit` with each child.
void for_each_child(Dwarf_Die die, const std::function<void(Dwarf_Die)>& visit);

}  // namespace icecore::symbols
