// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/symbol_lookup.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>
#include <set>
#include <string_view>
#include <tuple>

#include "base/error.h"
#include "snapshot/symbols/demangle.h"

namespace icecore::symbols {
namespace {

constexpr std::uint64_t kPageSize = 4096;

// "ns::f" of "ns::f(int) const"; a template's arguments and operator() stay.
std::string_view without_parameters(std::string_view name) {
  constexpr std::string_view kOperator = "operator";
  constexpr std::string_view kAnonymous = "(anonymous namespace)";
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string_view rest = name.substr(i);
    if (rest.starts_with(kOperator)) {
      // The sign may be one of the brackets counted here: operator(), operator<, operator->.
      i += kOperator.size();
      if (name.substr(i).starts_with("()")) i += 2;
      while (i < name.size() && std::string_view("<>=-!").find(name[i]) != std::string_view::npos)
        ++i;
      if (i >= name.size()) break;
    } else if (rest.starts_with(kAnonymous)) {
      i += kAnonymous.size() - 1;
      continue;
    }
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (name[i] == '(' && depth <= 0) return name.substr(0, i);
  }
  return name;
}

// The last part of a qualified name: most people leave out the namespace.
std::string_view last_part(std::string_view name) {
  const std::size_t colons = without_parameters(name).rfind("::");
  return colons == std::string_view::npos ? name : name.substr(colons + 2);
}

// Demangling is slow. An identifier is part of the mangled name; an operator is not, then all are
// tried.
std::string part_of_mangled(const std::string& name) {
  std::string part(last_part(without_parameters(name)));
  if (part.starts_with('~')) part.erase(0, 1);
  const bool is_identifier =
      std::ranges::all_of(part, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  return is_identifier ? part : std::string();
}

bool is_meant(const std::string& wanted, const std::string& demangled) {
  return demangled == wanted || without_parameters(demangled) == wanted;
}

LocatedSymbol locate(const LoadedModule& module, const SymbolTable& table, const Symbol& symbol) {
  std::uint64_t size = symbol.size;
  if (size == 0) {
    const auto& all = table.symbols();
    const auto next = std::ranges::upper_bound(all, symbol.address, {}, &Symbol::address);
    size = next == all.end() ? kPageSize : std::min(kPageSize, next->address - symbol.address);
  }
  const std::uint64_t start = module.bias + symbol.address;
  return {.name = demangle(symbol.name),
          .module = module.path,
          .start = start,
          .end = start + size,
          .kind = symbol.kind};
}

// How many slips (a letter added, lost, changed, or two swapped) make one name of the other,
// without regard to case; gives up beyond `limit`.
std::size_t edit_distance(std::string_view one, std::string_view other, std::size_t limit) {
  const std::size_t difference =
      one.size() > other.size() ? one.size() - other.size() : other.size() - one.size();
  if (difference > limit) return limit + 1;
  const auto same = [](char left, char right) {
    return std::tolower(static_cast<unsigned char>(left)) ==
           std::tolower(static_cast<unsigned char>(right));
  };
  std::vector<std::size_t> before;
  std::vector<std::size_t> last(other.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= one.size(); ++i) {
    std::vector<std::size_t> row(other.size() + 1, i);
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t changed = last[j - 1] + (same(one[i - 1], other[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
      const bool is_swap =
          i > 1 && j > 1 && same(one[i - 1], other[j - 2]) && same(one[i - 2], other[j - 1]);
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, std::move(row));
  }
  return last.back();
}

const LoadedModule* executable_first(const Symbolizer& symbolizer) {
  const std::string& path = symbolizer.image().process().executable();
  for (const LoadedModule& module : symbolizer.modules()) {
    if (module.path == path) return &module;
  }
  return nullptr;
}

std::vector<const LoadedModule*> modules_in_order(const Symbolizer& symbolizer) {
  const LoadedModule* first = executable_first(symbolizer);
  std::vector<const LoadedModule*> modules;
  if (first != nullptr) modules.push_back(first);
  for (const LoadedModule& module : symbolizer.modules()) {
    if (&module != first) modules.push_back(&module);
  }
  return modules;
}

}  // namespace

std::vector<LocatedSymbol> find_symbols(const Symbolizer& symbolizer, const std::string& name) {
  std::vector<LocatedSymbol> found;
  std::set<std::uint64_t> addresses;
  const std::string needle = part_of_mangled(name);
  for (const LoadedModule* module : modules_in_order(symbolizer)) {
    const SymbolTable& table = symbolizer.symbols_of(*module).table();
    std::vector<const Symbol*> symbols = table.find_by_name(name);
    for (const Symbol& symbol : table.symbols()) {
      const bool is_mangled = symbol.name.starts_with("_Z") || symbol.name.starts_with("_R");
      if (!is_mangled || symbol.name.find(needle) == std::string::npos) continue;
      if (is_meant(name, demangle(symbol.name))) symbols.push_back(&symbol);
    }
    for (const Symbol* symbol : symbols) {
      LocatedSymbol located = locate(*module, table, *symbol);
      if (addresses.insert(located.start).second) found.push_back(std::move(located));
    }
  }
  return found;
}

std::vector<std::string> suggest_symbols(const Symbolizer& symbolizer, const std::string& name,
                                         std::size_t limit) {
  const std::string_view wanted = last_part(without_parameters(name));
  const std::size_t tolerance = std::max<std::size_t>(1, wanted.size() / 3);
  using Candidate = std::tuple<std::size_t, std::size_t, std::string>;
  std::set<Candidate> candidates;
  std::size_t module_index = 0;
  for (const LoadedModule* module : modules_in_order(symbolizer)) {
    for (const Symbol& symbol : symbolizer.symbols_of(*module).table().symbols()) {
      if (symbol.kind != Symbol::Kind::Function) continue;
      const std::string demangled = demangle(symbol.name);
      const std::string_view plain = without_parameters(demangled);
      const std::string_view short_name = last_part(plain);
      std::size_t distance = std::min(edit_distance(wanted, short_name, tolerance),
                                      edit_distance(name, plain, tolerance));
      // What contains the wanted name is near as well, but less so than a slip of the finger.
      const bool contains = wanted.size() >= 4 && plain.find(wanted) != std::string_view::npos;
      if (distance > tolerance && contains) distance = tolerance;
      if (distance <= tolerance)
        candidates.emplace(distance, std::min<std::size_t>(module_index, 1), std::string(plain));
      if (candidates.size() > limit * 8) candidates.erase(std::prev(candidates.end()));
    }
    ++module_index;
  }
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates) {
    const std::string& near = std::get<std::string>(candidate);
    if (names.size() < limit && std::ranges::find(names, near) == names.end())
      names.push_back(near);
  }
  return names;
}

LocatedSymbol find_function(const Symbolizer& symbolizer, const std::string& name) {
  std::vector<LocatedSymbol> found = find_symbols(symbolizer, name);
  std::erase_if(found, [](const LocatedSymbol& s) { return s.kind != Symbol::Kind::Function; });
  if (found.empty()) {
    Error error("no function " + name + " in process " +
                std::to_string(symbolizer.image().process().pid()));
    std::string near;
    for (const std::string& suggestion : suggest_symbols(symbolizer, name)) {
      near += (near.empty() ? "did you mean " : ", ") + suggestion;
    }
    error.set_hint(near);
    throw error;
  }
  // The dynamic loader would take the first module's, and within it overloads are ambiguous.
  const bool is_ambiguous =
      std::ranges::count(found, found[0].module, &LocatedSymbol::module) > 1 &&
      found[0].name != name;
  if (is_ambiguous) {
    Error error("several functions are called " + name);
    std::string names;
    for (const LocatedSymbol& symbol : found)
      names += (names.empty() ? "say which: '" : ", '") + symbol.name + "'";
    error.set_hint(names);
    throw error;
  }
  return found[0];
}

}  // namespace icecore::symbols
