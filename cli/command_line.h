// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/invocation.h"

namespace icecore::cli {

/// Sorts the words that follow the verb by the verb's tables. The only code that sees
/// Boost.Program_options. Throws UsageError.
[[nodiscard]] ParsedWords parse_words(const Command& command, std::span<const std::string> words);

/// The place of the first of `words` that is neither one of `options` nor the value of one; its
/// size when all are. "--" counts as such a word.
[[nodiscard]] std::size_t first_plain_word(std::span<const Option> options,
                                           std::span<const std::string> words);

}  // namespace icecore::cli
