// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "snapshot/symbols/process_image.h"
#include "snapshot/symbols/symbol_table.h"

namespace icecore::symbols {

/// A global or static variable of one ELF file, in the file's own addresses.
struct Variable {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::string name;  // with namespace, class or function: "shop::stock", "f::calls"
  std::string type;  // empty when only an ELF symbol is known
  std::string file;  // of the compilation unit, as the compiler was given it
  std::uint32_t line = 0;
  /// Where DWARF describes it; 0 for ELF symbols.
  std::uint64_t die_offset = 0;
};

/// The variables of one ELF file: from DWARF where there is any, and its ELF object symbols for the
/// rest. Thread-local ones are not among them. One thread at a time.
class VariableTable {
 public:
  /// Looks into `fd`, then `debug_fd` (-1 for none), which must stay open.
  VariableTable(int fd, int debug_fd, const SymbolTable& symbols);
  ~VariableTable();
  VariableTable(const VariableTable&) = delete;
  VariableTable& operator=(const VariableTable&) = delete;

  /// Sorted by address.
  [[nodiscard]] const std::vector<Variable>& variables() const { return variables_; }
  /// Those with bytes in [start, end).
  [[nodiscard]] std::vector<const Variable*> overlapping(std::uint64_t start,
                                                         std::uint64_t end) const;

  /// The variable's value in a short form: "42", "{x = 3, y = -4}", "[1, 2, 3]", "\"hello\"".
  /// Pointers to text are followed in `image`. Values without a known type are shown in hex.
  [[nodiscard]] std::string format(const Variable& variable, std::span<const std::byte> value,
                                   const ProcessImage& image) const;

  /// The parts of a variable that are values themselves: members, elements.
  struct Part {
    std::string path;  // ".position.x", "[3]"; empty for the whole of a scalar
    std::string value;
  };
  [[nodiscard]] std::vector<Part> parts(const Variable& variable, std::span<const std::byte> value,
                                        const ProcessImage& image) const;

 private:
  class Dwarf;
  void add_symbols(const SymbolTable& symbols);

  std::unique_ptr<Dwarf> dwarf_;
  std::vector<Variable> variables_;
  std::uint64_t largest_ = 0;
};

}  // namespace icecore::symbols
