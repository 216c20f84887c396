// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "snapshot/symbols/loaded_module.h"
#include "snapshot/symbols/module_cache.h"
#include "snapshot/symbols/process_image.h"
#include "snapshot/symbols/source_lines.h"

namespace icecore::symbols {

/// Everything known about one address of code.
struct SymbolizedAddress {
  /// Innermost inlined function first; the last one is the function that was really called. Without
  /// debug information one frame with the ELF symbol's name; empty when not even that is known.
  std::vector<SourceFrame> frames;
  /// The file, "[vdso]", or the name of the mapping when it is no ELF file; empty when unmapped.
  std::string module;
  /// The address in the module's own terms.
  std::uint64_t module_offset = 0;
  /// The ELF symbol (demangled) and the distance from its start; empty when there is none.
  std::string symbol;
  std::uint64_t symbol_offset = 0;
};

/// Names the addresses of one process. The image and the cache must outlive it; share one cache
/// between the processes and snapshots of a run. One thread at a time.
class Symbolizer {
 public:
  Symbolizer(const ProcessImage& image, ModuleCache& cache);

  /// For a return address pass Frame::lookup_pc(), so that the line is that of the call.
  [[nodiscard]] SymbolizedAddress symbolize(std::uint64_t address) const;

  [[nodiscard]] const std::vector<LoadedModule>& modules() const { return modules_; }
  /// Symbols of one of modules(); read at the first use.
  [[nodiscard]] ModuleSymbols& symbols_of(const LoadedModule& module) const;
  [[nodiscard]] const ProcessImage& image() const { return image_; }

 private:
  const ProcessImage& image_;
  ModuleCache& cache_;
  std::vector<LoadedModule> modules_;
  // By index in modules_.
  mutable std::vector<std::shared_ptr<ModuleSymbols>> symbols_;
};

}  // namespace icecore::symbols
