// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/error.h"

namespace icecore::cli {

/// "error: what / why: cause / hint: remedy", a line each; a `why` of several lines is a list.
[[nodiscard]] std::string error_report(const Error& error);

}  // namespace icecore::cli
