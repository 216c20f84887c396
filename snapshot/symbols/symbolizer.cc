// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/symbolizer.h"

#include "snapshot/symbols/demangle.h"
#include "snapshot/symbols/image_memory.h"

namespace icecore::symbols {

Symbolizer::Symbolizer(const ProcessImage& image, ModuleCache& cache)
    : image_(image),
      cache_(cache),
      modules_(find_loaded_modules(image)),
      symbols_(modules_.size()) {}

ModuleSymbols& Symbolizer::symbols_of(const LoadedModule& module) const {
  auto& symbols = symbols_.at(static_cast<std::size_t>(&module - modules_.data()));
  if (symbols == nullptr) symbols = cache_.find(image_, module);
  return *symbols;
}

SymbolizedAddress Symbolizer::symbolize(std::uint64_t address) const {
  SymbolizedAddress result;
  const LoadedModule* module = find_module(modules_, address);
  if (module == nullptr) {
    const model::Mapping* mapping = find_mapping(image_.process(), address);
    if (mapping == nullptr) return result;
    result.module = mapping->name().empty() ? "[anonymous]" : mapping->name();
    result.module_offset = address - mapping->start() + mapping->offset();
    return result;
  }
  result.module = module->path;
  result.module_offset = address - module->bias;
  ModuleSymbols& symbols = symbols_of(*module);
  if (const Symbol* symbol = symbols.table().find(result.module_offset)) {
    result.symbol = demangle(symbol->name);
    result.symbol_offset = result.module_offset - symbol->address;
  }
  result.frames = symbols.lines().lookup(result.module_offset);
  if (result.frames.empty() && !result.symbol.empty()) result.frames.emplace_back();
  // Assembly has lines but no function in DWARF.
  if (!result.frames.empty() && result.frames.back().function.empty()) {
    result.frames.back().function = result.symbol;
  }
  return result;
}

}  // namespace icecore::symbols
