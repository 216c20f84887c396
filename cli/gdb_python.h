// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace icecore::cli {

/// share/icecore.py, so that `icecore gdb` works wherever the program lies.
[[nodiscard]] std::string_view gdb_python();

}  // namespace icecore::cli
