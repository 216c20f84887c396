// SPDX-License-Identifier: Apache-2.0
#include "cli/gdb_python.h"

namespace icecore::cli {

std::string_view gdb_python() {
  static constexpr std::string_view kText =
#include "cli/gdb_python.inc"
      ;
  return kText;
}

}  // namespace icecore::cli
