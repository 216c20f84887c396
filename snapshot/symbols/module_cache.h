// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "snapshot/symbols/loaded_module.h"
#include "snapshot/symbols/source_lines.h"
#include "snapshot/symbols/symbol_table.h"
#include "snapshot/symbols/variable_table.h"

namespace icecore::symbols {

/// What is known of one ELF file, read when first asked for. One thread at a time.
class ModuleSymbols {
 public:
  /// Either may be invalid: then less is known.
  ModuleSymbols(UniqueFd file, UniqueFd debug) : file_(std::move(file)), debug_(std::move(debug)) {}

  const SymbolTable& table();
  const SourceLines& lines();
  const VariableTable& variables();

 private:
  UniqueFd file_;
  UniqueFd debug_;
  std::optional<SymbolTable> table_;
  std::optional<SourceLines> lines_;
  std::optional<VariableTable> variables_;
};

/// Keeps ModuleSymbols by build-id, so that the same library in many processes and snapshots is
/// read once. One thread at a time.
class ModuleCache {
 public:
  /// Never null. Modules without a build-id are known by device and inode of the file while it is
  /// open.
  std::shared_ptr<ModuleSymbols> find(const ProcessImage& image, const LoadedModule& module);

 private:
  std::map<std::string, std::shared_ptr<ModuleSymbols>> modules_;
};

}  // namespace icecore::symbols
