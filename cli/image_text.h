// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "replay/image/image.h"

namespace icecore::cli {

/// "8080 9090"
[[nodiscard]] std::string ports_text(const replay::Image& image);
/// The words, separated by blanks.
[[nodiscard]] std::string command_text(const replay::Image& image);
[[nodiscard]] nlohmann::ordered_json image_json(const replay::Image& image);

}  // namespace icecore::cli
