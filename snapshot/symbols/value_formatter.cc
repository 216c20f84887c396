// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/value_formatter.h"

#include <dwarf.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "snapshot/symbols/dwarf_types.h"
#include "snapshot/symbols/image_memory.h"
#include "snapshot/symbols/scalar_formatter.h"

namespace icecore::symbols {
namespace {

constexpr std::size_t kMaxElements = 16;
constexpr int kMaxDepth = 6;
constexpr std::size_t kMaxParts = 100'000;

using Bytes = std::span<const std::byte>;

bool is_aggregate(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

std::string format_pointer(Dwarf_Die type, Bytes value, const ProcessImage& image) {
  const std::uint64_t address = to_unsigned(value);
  std::string text = hex_number(address);
  const auto target = type_of(type);
  if (address == 0 || !target || !is_character(peeled(*target))) return text;
  const std::vector<std::byte> bytes = read_bytes(image, address, kMaxText + 1);
  return bytes.empty() ? text : text + " " + format_text(bytes);
}

std::string format(Dwarf_Die type, Bytes value, const ProcessImage& image, int depth);

std::string format_bit_field(const DwarfMember& member, Bytes value) {
  const std::uint64_t mask =
      member.bit_size >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << member.bit_size) - 1;
  const std::uint64_t number =
      (to_unsigned(value.subspan(member.offset)) >> member.bit_offset) & mask;
  Dwarf_Die type = peeled(member.type);
  return ::dwarf_tag(&type) == DW_TAG_enumeration_type
             ? format_enumeration(type, number, member.bit_size)
             : format_integer(type, number, member.bit_size);
}

Bytes bytes_of(const DwarfMember& member, Bytes value) {
  const Bytes rest = value.subspan(std::min<std::size_t>(member.offset, value.size()));
  return rest.first(std::min<std::size_t>(type_size(member.type), rest.size()));
}

bool is_bit_field_inside(const DwarfMember& member, Bytes value) {
  return member.bit_size != 0 && member.bit_offset < 64 && member.offset < value.size();
}

std::string format_aggregate(Dwarf_Die type, Bytes value, const ProcessImage& image, int depth) {
  std::string text;
  std::size_t count = 0;
  for (const DwarfMember& member : members_of(type)) {
    if (!text.empty()) text += ", ";
    if (++count > kMaxElements) return "{" + text + "...}";
    const std::string formatted =
        is_bit_field_inside(member, value)
            ? format_bit_field(member, value)
            : format(member.type, bytes_of(member, value), image, depth + 1);
    text += (member.name.empty() ? "" : member.name + " = ") + formatted;
  }
  return "{" + text + "}";
}

/// An array as its element type, and how many there are in its first dimension.
struct Elements {
  std::uint64_t count = 0;
  std::uint64_t size = 0;
};

// `dimension` is how many outer ones were gone into already.
Elements elements_of(Dwarf_Die array, std::size_t dimension, Bytes value) {
  const auto dimensions = array_dimensions(array);
  const auto element = type_of(array);
  Elements result;
  result.size = element ? type_size(*element) : 0;
  for (std::size_t i = dimension + 1; i < dimensions.size(); ++i) result.size *= dimensions[i];
  if (dimension < dimensions.size()) result.count = dimensions[dimension];
  // Damaged counts must not lead outside the value.
  if (result.size == 0) return {};
  result.count = std::min<std::uint64_t>(result.count, value.size() / result.size);
  return result;
}

bool is_innermost(Dwarf_Die array, std::size_t dimension) {
  return dimension + 1 >= array_dimensions(array).size();
}

std::string format_array(Dwarf_Die array, std::size_t dimension, Bytes value,
                         const ProcessImage& image, int depth) {
  const auto element = type_of(array);
  if (!element) return format_untyped(value);
  const bool innermost = is_innermost(array, dimension);
  if (innermost && is_character(peeled(*element))) return format_text(value);
  const Elements elements = elements_of(array, dimension, value);
  std::string text;
  for (std::uint64_t i = 0; i < elements.count; ++i) {
    if (i != 0) text += ", ";
    if (i == kMaxElements) return "[" + text + "...]";
    const Bytes part = value.subspan(i * elements.size, elements.size);
    text += innermost ? format(*element, part, image, depth + 1)
                      : format_array(array, dimension + 1, part, image, depth + 1);
  }
  return "[" + text + "]";
}

std::string format(Dwarf_Die type, Bytes value, const ProcessImage& image, int depth) {
  if (depth > kMaxDepth) return "...";
  Dwarf_Die plain = peeled(type);
  const int tag = ::dwarf_tag(&plain);
  if (value.size() < type_size(plain) || value.empty()) return "...";
  if (is_aggregate(tag)) return format_aggregate(plain, value, image, depth);
  switch (tag) {
    case DW_TAG_base_type:
      return format_base(plain, value);
    case DW_TAG_enumeration_type:
      return format_enumeration(plain, to_unsigned(value), value.size() * 8);
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
      return format_pointer(plain, value, image);
    case DW_TAG_array_type:
      return format_array(plain, 0, value, image, depth);
    default:
      return format_untyped(value);
  }
}

/// Goes down to the parts of a value.
class PartWalk {
 public:
  PartWalk(const ProcessImage& image, const PartVisitor& visit) : image_(image), visit_(visit) {}

  void walk(Dwarf_Die type, Bytes value, const std::string& path) {
    if (count_ >= kMaxParts) return;
    Dwarf_Die plain = peeled(type);
    const int tag = ::dwarf_tag(&plain);
    if (tag == DW_TAG_structure_type || tag == DW_TAG_class_type) {
      walk_members(plain, value, path);
    } else if (tag == DW_TAG_array_type) {
      walk_elements(plain, 0, value, path);
    } else {
      visit(path, format(plain, value, image_, 0));
    }
  }

 private:
  void visit(const std::string& path, const std::string& value) {
    ++count_;
    visit_(path, value);
  }

  void walk_members(Dwarf_Die type, Bytes value, const std::string& path) {
    for (const DwarfMember& member : members_of(type)) {
      const std::string inner = member.name.empty() ? path : path + "." + member.name;
      if (is_bit_field_inside(member, value)) {
        visit(inner, format_bit_field(member, value));
      } else {
        walk(member.type, bytes_of(member, value), inner);
      }
    }
  }

  void walk_elements(Dwarf_Die array, std::size_t dimension, Bytes value, const std::string& path) {
    const auto element = type_of(array);
    const bool innermost = is_innermost(array, dimension);
    if (!element || (innermost && is_character(peeled(*element)))) {
      visit(path, format_array(array, dimension, value, image_, 0));
      return;
    }
    const Elements elements = elements_of(array, dimension, value);
    for (std::uint64_t i = 0; i < elements.count && count_ < kMaxParts; ++i) {
      const Bytes part = value.subspan(i * elements.size, elements.size);
      const std::string inner = path + "[" + std::to_string(i) + "]";
      if (innermost) {
        walk(*element, part, inner);
      } else {
        walk_elements(array, dimension + 1, part, inner);
      }
    }
  }

  const ProcessImage& image_;
  const PartVisitor& visit_;
  std::size_t count_ = 0;
};

}  // namespace

std::string format_value(Dwarf_Die type, std::span<const std::byte> value,
                         const ProcessImage& image) {
  return format(type, value, image, 0);
}

void for_each_part(Dwarf_Die type, std::span<const std::byte> value, const ProcessImage& image,
                   const PartVisitor& visit) {
  PartWalk(image, visit).walk(type, value, "");
}

void for_each_untyped_part(std::span<const std::byte> value, const PartVisitor& visit) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  if (value.size() <= kWord) return visit("", format_untyped(value));
  for (std::size_t i = 0; i < value.size() && i / kWord < kMaxParts; i += kWord) {
    visit("+" + std::to_string(i),
          format_untyped(value.subspan(i, std::min(kWord, value.size() - i))));
  }
}

}  // namespace icecore::symbols
