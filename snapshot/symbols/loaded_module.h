// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// One ELF file in an address space: the executable, a shared library, or the vdso.
struct LoadedModule {
  std::string path;  // as mapped; "[vdso]"
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  /// Address in memory minus address in the file's own terms.
  std::uint64_t bias = 0;
  /// GNU build-id as hex; empty when it has none in memory.
  std::string build_id;
  /// The mapping of its ELF header, inside ProcessImage::process().
  const model::Mapping* mapping = nullptr;
  bool is_vdso = false;
};

/// The modules of `image`, sorted by address. Files that are merely mapped as data are not among
/// them.
std::vector<LoadedModule> find_loaded_modules(const ProcessImage& image);

/// The module that holds `address`, or null.
const LoadedModule* find_module(const std::vector<LoadedModule>& modules, std::uint64_t address);

/// Its ELF file: the one that was mapped, or for the vdso a copy of its memory. Invalid when not
/// held.
UniqueFd open_module_file(const ProcessImage& image, const LoadedModule& module);

}  // namespace icecore::symbols
