// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/variable_table.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <algorithm>
#include <cstdlib>

#include "snapshot/symbols/demangle.h"
#include "snapshot/symbols/dwarf_types.h"
#include "snapshot/symbols/scalar_formatter.h"
#include "snapshot/symbols/value_formatter.h"

namespace icecore::symbols {
namespace {

// The address in a location that is nothing but one. Thread-local and computed ones have more.
std::optional<std::uint64_t> constant_address(Dwarf_Die die) {
  Dwarf_Attribute attribute;
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (::dwarf_attr(&die, DW_AT_location, &attribute) == nullptr) return std::nullopt;
  if (::dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1) return std::nullopt;
  if (operations[0].atom == DW_OP_addr) return operations[0].number;
  if (operations[0].atom != DW_OP_addrx) return std::nullopt;
  Dwarf_Attribute indexed;
  Dwarf_Addr address = 0;
  if (::dwarf_getlocation_attr(&attribute, &operations[0], &indexed) != 0) return std::nullopt;
  if (::dwarf_formaddr(&indexed, &address) != 0) return std::nullopt;
  return address;
}

std::string linkage_name(Dwarf_Die die) {
  Dwarf_Attribute attribute;
  const char* name =
      ::dwarf_formstring(::dwarf_attr_integrate(&die, DW_AT_linkage_name, &attribute));
  return name != nullptr ? demangle(name) : "";
}

std::string namespace_name(Dwarf_Die die) {
  const std::string name = die_name(die);
  return name.empty() ? "(anonymous namespace)" : name;
}

// GCC defines the variable of a namespace outside of it, and says which declaration it completes.
std::string declared_scope(Dwarf_Die die, const std::string& otherwise) {
  auto declaration = referred_die(die, DW_AT_specification);
  if (!declaration) return otherwise;
  Dwarf_Die* scopes = nullptr;
  const int count = ::dwarf_getscopes_die(&*declaration, &scopes);
  const std::unique_ptr<Dwarf_Die, decltype(&std::free)> owner(scopes, std::free);
  std::string scope;
  // The first is the declaration itself, the last the compilation unit.
  for (int i = count - 1; i > 0; --i) {
    const int tag = ::dwarf_tag(&scopes[i]);
    if (tag == DW_TAG_namespace) scope += namespace_name(scopes[i]) + "::";
    if (tag == DW_TAG_structure_type || tag == DW_TAG_class_type)
      scope += die_name(scopes[i]) + "::";
  }
  return scope;
}

/// Walks one compilation unit for the variables in it.
class UnitWalk {
 public:
  UnitWalk(Dwarf_Die unit, std::vector<Variable>& variables)
      : file_(die_name(unit)), variables_(variables) {
    walk(unit, "");
  }

 private:
  void walk(Dwarf_Die parent, const std::string& scope) {
    for_each_child(parent, [&](Dwarf_Die child) {
      switch (::dwarf_tag(&child)) {
        case DW_TAG_variable:
          add(child, scope);
          break;
        case DW_TAG_namespace:
          walk(child, scope + namespace_name(child) + "::");
          break;
        case DW_TAG_subprogram:
          walk(child, scope + die_name(child) + "::");
          break;
        case DW_TAG_lexical_block:
          walk(child, scope);
          break;
        // Variables in types are declarations; those that are defined refer to them from outside.
        default:
          break;
      }
    });
  }

  void add(Dwarf_Die die, const std::string& scope) {
    const auto address = constant_address(die);
    const auto type = type_of(die);
    if (!address || *address == 0 || !type) return;
    Variable variable;
    variable.address = *address;
    variable.size = type_size(*type);
    const std::string linked = linkage_name(die);
    variable.name = linked.empty() ? declared_scope(die, scope) + die_name(die) : linked;
    if (die_name(die).empty() || variable.size == 0) return;
    variable.type = type_name(type);
    variable.file = file_;
    variable.line =
        static_cast<std::uint32_t>(unsigned_attribute(die, DW_AT_decl_line).value_or(0));
    variable.die_offset = ::dwarf_dieoffset(&die);
    variables_.push_back(std::move(variable));
  }

  std::string file_;
  std::vector<Variable>& variables_;
};

}  // namespace

/// Owns libdw's view of the file that has debug information.
class VariableTable::Dwarf {
 public:
  static std::unique_ptr<Dwarf> open(int fd) {
    ::Dwarf* dwarf = fd < 0 ? nullptr : ::dwarf_begin(fd, DWARF_C_READ);
    if (dwarf == nullptr) return nullptr;
    auto owner = std::make_unique<Dwarf>(dwarf);
    // Unwind information alone makes a file "have DWARF".
    Dwarf_CU* unit = nullptr;
    Dwarf_Die die;
    return ::dwarf_get_units(dwarf, nullptr, &unit, nullptr, nullptr, &die, nullptr) == 0
               ? std::move(owner)
               : nullptr;
  }

  explicit Dwarf(::Dwarf* dwarf) : dwarf_(dwarf) {}
  Dwarf(const Dwarf&) = delete;
  Dwarf& operator=(const Dwarf&) = delete;
  ~Dwarf() { ::dwarf_end(dwarf_); }

  std::vector<Variable> variables() {
    std::vector<Variable> found;
    Dwarf_CU* unit = nullptr;
    Dwarf_Die die;
    while (::dwarf_get_units(dwarf_, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
      if (::dwarf_tag(&die) == DW_TAG_compile_unit) UnitWalk(die, found);
    }
    return found;
  }

  std::optional<Dwarf_Die> type_at(std::uint64_t offset) {
    Dwarf_Die die;
    if (::dwarf_offdie(dwarf_, offset, &die) == nullptr) return std::nullopt;
    return type_of(die);
  }

 private:
  ::Dwarf* dwarf_;
};

VariableTable::VariableTable(int fd, int debug_fd, const SymbolTable& symbols)
    : dwarf_(Dwarf::open(fd)) {
  if (dwarf_ == nullptr) dwarf_ = Dwarf::open(debug_fd);
  if (dwarf_ != nullptr) variables_ = dwarf_->variables();
  std::ranges::stable_sort(variables_, {}, &Variable::address);
  // Each unit that includes an inline variable describes it.
  const auto repeated = std::ranges::unique(variables_, {}, &Variable::address);
  variables_.erase(repeated.begin(), repeated.end());
  add_symbols(symbols);
  for (const Variable& variable : variables_) largest_ = std::max(largest_, variable.size);
}

VariableTable::~VariableTable() = default;

void VariableTable::add_symbols(const SymbolTable& symbols) {
  std::vector<Variable> unknown;
  for (const Symbol& symbol : symbols.symbols()) {
    if (symbol.kind != Symbol::Kind::Object || symbol.size == 0) continue;
    if (!unknown.empty() && unknown.back().address == symbol.address) continue;
    if (std::ranges::binary_search(variables_, symbol.address, {}, &Variable::address)) continue;
    Variable variable;
    variable.address = symbol.address;
    variable.size = symbol.size;
    variable.name = demangle(symbol.name);
    unknown.push_back(std::move(variable));
  }
  std::vector<Variable> merged;
  merged.reserve(variables_.size() + unknown.size());
  std::ranges::merge(variables_, unknown, std::back_inserter(merged), {}, &Variable::address,
                     &Variable::address);
  variables_ = std::move(merged);
}

std::vector<const Variable*> VariableTable::overlapping(std::uint64_t start,
                                                        std::uint64_t end) const {
  std::vector<const Variable*> found;
  const std::uint64_t from = start > largest_ ? start - largest_ : 0;
  for (auto it = std::ranges::lower_bound(variables_, from, {}, &Variable::address);
       it != variables_.end() && it->address < end; ++it) {
    if (it->address + it->size > start) found.push_back(&*it);
  }
  return found;
}

std::string VariableTable::format(const Variable& variable, std::span<const std::byte> value,
                                  const ProcessImage& image) const {
  const auto type = dwarf_ != nullptr && variable.die_offset != 0
                        ? dwarf_->type_at(variable.die_offset)
                        : std::nullopt;
  return type ? format_value(*type, value, image) : format_untyped(value);
}

std::vector<VariableTable::Part> VariableTable::parts(const Variable& variable,
                                                      std::span<const std::byte> value,
                                                      const ProcessImage& image) const {
  const auto type = dwarf_ != nullptr && variable.die_offset != 0
                        ? dwarf_->type_at(variable.die_offset)
                        : std::nullopt;
  std::vector<Part> result;
  const auto add = [&](const std::string& path, const std::string& text) {
    result.push_back({path, text});
  };
  if (type) {
    for_each_part(*type, value, image, add);
  } else {
    for_each_untyped_part(value, add);
  }
  return result;
}

}  // namespace icecore::symbols
