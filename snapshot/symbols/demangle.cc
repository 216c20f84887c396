// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/demangle.h"

#include <llvm/Demangle/Demangle.h>

namespace icecore::symbols {

std::string demangle(const std::string& name) { return llvm::demangle(name); }

}  // namespace icecore::symbols
