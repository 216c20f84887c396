// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/symbols/symbolizer.h"
#include "snapshot/symbols/variable_table.h"

namespace icecore::symbols {

/// A global or static variable where a process has it in memory. Borrows from the Symbolizer's
/// cache.
struct LocatedVariable {
  const Variable* variable = nullptr;
  const VariableTable* table = nullptr;
  std::uint64_t address = 0;
  std::string module;
};

/// A part of a variable that differs between two moments.
struct VariableChange {
  std::string name;  // "counter", "record.position.x", "numbers[2]"
  std::string before;
  std::string after;
  std::string file;  // base name; the module's for variables known only by ELF symbol
};

/// The variables with bytes in [start, end), by address.
std::vector<LocatedVariable> variables_in(const Symbolizer& symbolizer, std::uint64_t start,
                                          std::uint64_t end);

/// All called `name` ("shop::stock", or its last part "stock").
std::vector<LocatedVariable> find_variables(const Symbolizer& symbolizer, const std::string& name);

/// The value in `image`, which may be any moment of the process in which the module lies at the
/// same place. "(not held)" when it cannot be read.
std::string format_variable(const LocatedVariable& variable, const ProcessImage& image);

/// The parts that differ between two moments; at most `limit`, the first ones.
std::vector<VariableChange> compare_variable(const LocatedVariable& variable,
                                             const ProcessImage& before, const ProcessImage& after,
                                             std::size_t limit = 16);

/// "counter 41 -> 42 (main.cc)".
std::string format_change(const VariableChange& change);

}  // namespace icecore::symbols
