// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace icecore::symbols {

/// The name as written in the source: C++ (Itanium), Rust and D names are demangled, others stay.
std::string demangle(const std::string& name);

}  // namespace icecore::symbols
