// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// The value of a C or C++ object in a short form. Long arrays, deep structs and bytes that are
/// missing at the end of `value` are cut with "...". Pointers to characters are followed in
/// `image`.
std::string format_value(Dwarf_Die type, std::span<const std::byte> value,
                         const ProcessImage& image);

/// Takes the path of a part (".x", "[2].y") and its value.
using PartVisitor = std::function<void(const std::string&, const std::string&)>;

/// Visits what has no parts itself: numbers, pointers, enumerations, texts. At most 100,000.
void for_each_part(Dwarf_Die type, std::span<const std::byte> value, const ProcessImage& image,
                   const PartVisitor& visit);
/// The same for bytes without a type: words of 8 bytes, "+16".
void for_each_untyped_part(std::span<const std::byte> value, const PartVisitor& visit);

}  // namespace icecore::symbols
