// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/variables.h"

#include <algorithm>

#include "snapshot/symbols/image_memory.h"

namespace icecore::symbols {
namespace {

// Bigger objects are pools and tables, whose start says as much as the whole.
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 20U;

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::vector<std::byte> bytes_of(const LocatedVariable& variable, const ProcessImage& image) {
  return read_bytes(image, variable.address, std::min(variable.variable->size, kMaxSize));
}

LocatedVariable locate(const LoadedModule& module, const VariableTable& table,
                       const Variable& variable) {
  return {.variable = &variable,
          .table = &table,
          .address = module.bias + variable.address,
          .module = module.path};
}

}  // namespace

std::vector<LocatedVariable> variables_in(const Symbolizer& symbolizer, std::uint64_t start,
                                          std::uint64_t end) {
  std::vector<LocatedVariable> found;
  for (const LoadedModule& module : symbolizer.modules()) {
    if (module.end <= start || module.start >= end) continue;
    const VariableTable& table = symbolizer.symbols_of(module).variables();
    const std::uint64_t from = std::max(start, module.start) - module.bias;
    for (const Variable* variable :
         table.overlapping(from, std::min(end, module.end) - module.bias)) {
      found.push_back(locate(module, table, *variable));
    }
  }
  return found;
}

std::vector<LocatedVariable> find_variables(const Symbolizer& symbolizer, const std::string& name) {
  std::vector<LocatedVariable> found;
  for (const LoadedModule& module : symbolizer.modules()) {
    const VariableTable& table = symbolizer.symbols_of(module).variables();
    for (const Variable& variable : table.variables()) {
      if (variable.name == name || variable.name.ends_with("::" + name)) {
        found.push_back(locate(module, table, variable));
      }
    }
  }
  return found;
}

std::string format_variable(const LocatedVariable& variable, const ProcessImage& image) {
  const std::vector<std::byte> bytes = bytes_of(variable, image);
  if (bytes.empty()) return "(not held)";
  return variable.table->format(*variable.variable, bytes, image);
}

std::vector<VariableChange> compare_variable(const LocatedVariable& variable,
                                             const ProcessImage& before, const ProcessImage& after,
                                             std::size_t limit) {
  std::vector<VariableChange> changes;
  const std::vector<std::byte> old_bytes = bytes_of(variable, before);
  const std::vector<std::byte> new_bytes = bytes_of(variable, after);
  if (old_bytes == new_bytes || old_bytes.empty() || new_bytes.empty()) return changes;
  const auto old_parts = variable.table->parts(*variable.variable, old_bytes, before);
  const auto new_parts = variable.table->parts(*variable.variable, new_bytes, after);
  const std::string& file =
      variable.variable->file.empty() ? variable.module : variable.variable->file;
  for (std::size_t i = 0; i < std::min(old_parts.size(), new_parts.size()); ++i) {
    if (changes.size() >= limit) break;
    if (old_parts[i].value == new_parts[i].value) continue;
    changes.push_back({.name = variable.variable->name + old_parts[i].path,
                       .before = old_parts[i].value,
                       .after = new_parts[i].value,
                       .file = base_name(file)});
  }
  return changes;
}

std::string format_change(const VariableChange& change) {
  return change.name + " " + change.before + " -> " + change.after + " (" + change.file + ")";
}

}  // namespace icecore::symbols
