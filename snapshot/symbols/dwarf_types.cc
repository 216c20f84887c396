// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/dwarf_types.h"

#include <dwarf.h>

#include <algorithm>

namespace icecore::symbols {
namespace {

// Types that refer to themselves end here; nobody writes deeper ones.
constexpr int kMaxDepth = 16;

std::string name_of_type(std::optional<Dwarf_Die> type, int depth) {
  if (!type) return "void";
  if (depth > kMaxDepth) return "?";
  const auto inner = [&] { return name_of_type(type_of(*type), depth + 1); };
  switch (::dwarf_tag(&*type)) {
    case DW_TAG_pointer_type:
      return inner() + " *";
    case DW_TAG_reference_type:
      return inner() + " &";
    case DW_TAG_rvalue_reference_type:
      return inner() + " &&";
    case DW_TAG_const_type:
      return "const " + inner();
    case DW_TAG_volatile_type:
      return "volatile " + inner();
    case DW_TAG_restrict_type:
      return inner() + " restrict";
    case DW_TAG_atomic_type:
      return "_Atomic " + inner();
    case DW_TAG_subroutine_type:
      return "function";
    case DW_TAG_array_type: {
      std::string name = inner();
      for (const std::uint64_t count : array_dimensions(*type)) {
        name += count == 0 ? "[]" : "[" + std::to_string(count) + "]";
      }
      return name;
    }
    default:
      break;
  }
  const std::string name = die_name(*type);
  if (!name.empty()) return name;
  switch (::dwarf_tag(&*type)) {
    case DW_TAG_union_type:
      return "(anonymous union)";
    case DW_TAG_enumeration_type:
      return "(anonymous enum)";
    default:
      return "(anonymous struct)";
  }
}

// Base classes and members may lie at a computed place; only constants are known without an object.
std::optional<std::uint64_t> constant_offset(Dwarf_Die die) {
  if (::dwarf_hasattr(&die, DW_AT_data_member_location) == 0) return 0;
  return unsigned_attribute(die, DW_AT_data_member_location);
}

void set_bit_field(Dwarf_Die die, DwarfMember& member) {
  member.bit_size = unsigned_attribute(die, DW_AT_bit_size).value_or(0);
  if (member.bit_size == 0) return;
  if (const auto offset = unsigned_attribute(die, DW_AT_data_bit_offset)) {
    member.offset = *offset / 8;
    member.bit_offset = *offset % 8;
  } else if (const auto from_top = unsigned_attribute(die, DW_AT_bit_offset)) {
    // DWARF 2 and 3 count from the most significant bit of the storage unit.
    const std::uint64_t unit =
        unsigned_attribute(die, DW_AT_byte_size).value_or(type_size(member.type));
    member.bit_offset = unit * 8 - *from_top - member.bit_size;
  }
}

}  // namespace

std::optional<Dwarf_Die> referred_die(Dwarf_Die die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Die result;
  if (::dwarf_attr_integrate(&die, name, &attribute) == nullptr) return std::nullopt;
  if (::dwarf_formref_die(&attribute, &result) == nullptr) return std::nullopt;
  return result;
}

std::optional<Dwarf_Die> type_of(Dwarf_Die die) { return referred_die(die, DW_AT_type); }

Dwarf_Die peeled(Dwarf_Die type) {
  Dwarf_Die result;
  return ::dwarf_peel_type(&type, &result) == 0 ? result : type;
}

std::string type_name(std::optional<Dwarf_Die> type) { return name_of_type(type, 0); }

std::uint64_t type_size(Dwarf_Die type) {
  Dwarf_Word size = 0;
  return ::dwarf_aggregate_size(&type, &size) == 0 ? size : 0;
}

std::vector<DwarfMember> members_of(Dwarf_Die type) {
  std::vector<DwarfMember> members;
  for_each_child(type, [&](Dwarf_Die child) {
    const int tag = ::dwarf_tag(&child);
    const bool is_base = tag == DW_TAG_inheritance;
    // A static data member is a member that is only declared here.
    const bool is_member = tag == DW_TAG_member &&
                           ::dwarf_hasattr(&child, DW_AT_declaration) == 0 &&
                           ::dwarf_hasattr(&child, DW_AT_external) == 0;
    const auto member_type = type_of(child);
    const auto offset = constant_offset(child);
    if ((!is_base && !is_member) || !member_type || !offset) return;
    DwarfMember member;
    member.name = is_base ? "<" + die_name(*member_type) + ">" : die_name(child);
    member.type = *member_type;
    member.offset = *offset;
    set_bit_field(child, member);
    members.push_back(std::move(member));
  });
  return members;
}

std::vector<std::uint64_t> array_dimensions(Dwarf_Die array) {
  std::vector<std::uint64_t> dimensions;
  for_each_child(array, [&](Dwarf_Die child) {
    if (::dwarf_tag(&child) != DW_TAG_subrange_type) return;
    std::uint64_t count = unsigned_attribute(child, DW_AT_count).value_or(0);
    const auto upper = unsigned_attribute(child, DW_AT_upper_bound);
    if (count == 0 && upper) count = *upper + 1;
    dimensions.push_back(count);
  });
  return dimensions;
}

std::optional<std::string> enumerator_name(Dwarf_Die enumeration, std::int64_t value) {
  std::optional<std::string> name;
  for_each_child(enumeration, [&](Dwarf_Die child) {
    Dwarf_Attribute attribute;
    Dwarf_Sword constant = 0;
    if (name || ::dwarf_tag(&child) != DW_TAG_enumerator) return;
    if (::dwarf_attr(&child, DW_AT_const_value, &attribute) == nullptr) return;
    if (::dwarf_formsdata(&attribute, &constant) == 0 && constant == value) name = die_name(child);
  });
  return name;
}

std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (::dwarf_attr_integrate(&die, name, &attribute) == nullptr) return std::nullopt;
  if (::dwarf_formudata(&attribute, &value) != 0) return std::nullopt;
  return value;
}

std::string die_name(Dwarf_Die die) {
  Dwarf_Attribute attribute;
  const char* name = ::dwarf_formstring(::dwarf_attr_integrate(&die, DW_AT_name, &attribute));
  return name != nullptr ? name : "";
}

void for_each_child(Dwarf_Die die, const std::function<void(Dwarf_Die)>& visit) {
  Dwarf_Die child;
  if (::dwarf_child(&die, &child) != 0) return;
  do {
    visit(child);
  } while (::dwarf_siblingof(&child, &child) == 0);
}

}  // namespace icecore::symbols
