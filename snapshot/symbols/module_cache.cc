// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/module_cache.h"

#include <sys/stat.h>

namespace icecore::symbols {
namespace {

// The cache holds the file open, so that the inode cannot be given to another file.
std::string file_key(int fd) {
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) return {};
  return "file " + std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) + ":" +
         std::to_string(status.st_size) + ":" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

}  // namespace

const SymbolTable& ModuleSymbols::table() {
  if (!table_) table_.emplace(file_.get(), debug_.get());
  return *table_;
}

const SourceLines& ModuleSymbols::lines() {
  if (!lines_) lines_.emplace(file_.get(), debug_.get());
  return *lines_;
}

const VariableTable& ModuleSymbols::variables() {
  if (!variables_) variables_.emplace(file_.get(), debug_.get(), table());
  return *variables_;
}

std::shared_ptr<ModuleSymbols> ModuleCache::find(const ProcessImage& image,
                                                 const LoadedModule& module) {
  std::string key = module.build_id;
  if (const auto found = modules_.find(key); !key.empty() && found != modules_.end()) {
    return found->second;
  }
  UniqueFd file = open_module_file(image, module);
  if (key.empty()) key = file_key(file.get());
  if (const auto found = modules_.find(key); !key.empty() && found != modules_.end()) {
    return found->second;
  }
  UniqueFd debug = module.is_vdso ? UniqueFd() : image.open_debug(*module.mapping);
  const bool is_held = file.valid();
  auto symbols = std::make_shared<ModuleSymbols>(std::move(file), std::move(debug));
  // Another snapshot may hold the file that this one does not.
  if (is_held && !key.empty()) modules_.emplace(key, symbols);
  return symbols;
}

}  // namespace icecore::symbols
