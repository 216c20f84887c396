// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace icecore::cli {

/// Says that `word` is no verb, which verbs are near, and what to type when it was meant as a
/// program.
[[noreturn]] void throw_unknown_verb(const std::string& word);

}  // namespace icecore::cli
