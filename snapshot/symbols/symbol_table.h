// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace icecore::symbols {

/// A named range of an ELF file, in the file's own addresses.
struct Symbol {
  enum class Kind { Function, Object };
  std::uint64_t address = 0;
  /// 0 when the file does not say (assembly labels); then it reaches to the next symbol.
  std::uint64_t size = 0;
  std::string name;  // as linked: C++ names are mangled
  Kind kind = Kind::Function;
  bool is_local = false;
};

/// The symbols of one ELF file: .symtab, else that of its separate debug file, else .dynsym with
/// the compressed .gnu_debugdata (elfutils picks). Thread-local symbols are left out.
class SymbolTable {
 public:
  SymbolTable() = default;
  /// Reads them; `debug_fd` may be -1. The descriptors stay the caller's and are needed only here.
  SymbolTable(int fd, int debug_fd);

  /// The best name for `address`, or null. Zero-sized symbols count up to the next one.
  [[nodiscard]] const Symbol* find(std::uint64_t address) const;

  /// All with exactly this linked name.
  [[nodiscard]] std::vector<const Symbol*> find_by_name(const std::string& name) const;

  /// Sorted by address; at one address the best name first.
  [[nodiscard]] const std::vector<Symbol>& symbols() const { return symbols_; }

  /// Those whose bytes overlap [start, end), sorted by address.
  [[nodiscard]] std::vector<const Symbol*> overlapping(std::uint64_t start,
                                                       std::uint64_t end) const;

 private:
  std::vector<Symbol> symbols_;
  // How far to look back for a symbol that covers an address.
  std::uint64_t largest_ = 0;
  std::unordered_multimap<std::string, std::size_t> by_name_;
};

}  // namespace icecore::symbols
