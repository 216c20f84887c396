// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gdbstub/target/register_layout.h"

namespace icecore::gdbstub {

/// The target description of amd64 Linux with these registers, as qXfer:features:read gives it.
[[nodiscard]] std::string target_xml(const RegisterLayout& layout);
[[nodiscard]] std::string xml_escaped(std::string_view text);

}  // namespace icecore::gdbstub
