// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/symbols/symbol_table.h"
#include "snapshot/symbols/symbolizer.h"

namespace icecore::symbols {

/// A symbol where a process has it in memory.
struct LocatedSymbol {
  std::string name;  // demangled
  std::string module;
  std::uint64_t start = 0;
  /// For symbols without a size: the next symbol, or one page on.
  std::uint64_t end = 0;
  Symbol::Kind kind = Symbol::Kind::Function;
};

/// What `name` means in a process. As people write it: "main", "ns::f", "ns::f(int)", or the linked
/// name "_ZN2ns1fEi"; several when it is overloaded, or in several modules. The executable's come
/// first.
std::vector<LocatedSymbol> find_symbols(const Symbolizer& symbolizer, const std::string& name);

/// Names of functions that look like `name`, most alike first; for "did you mean".
std::vector<std::string> suggest_symbols(const Symbolizer& symbolizer, const std::string& name,
                                         std::size_t limit = 5);

/// The one function called `name`; throws Error that suggests near names, or lists the several.
LocatedSymbol find_function(const Symbolizer& symbolizer, const std::string& name);

}  // namespace icecore::symbols
