// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace icecore::cli {

/// The verb that a command line names. Some verbs are a family of two words: "image run".
struct NamedVerb {
  const Command* command = nullptr;  ///< null when there is no such verb
  std::size_t words = 0;             ///< how many words it was named by
  std::string name;                  ///< those words, for messages
};

/// `words` begin with the verb.
[[nodiscard]] NamedVerb find_verb(std::span<const std::string> words);

/// The second words of the family that `first` names: "build", "run". Empty when it is none.
[[nodiscard]] std::vector<const Command*> family_of(std::string_view first);

/// "run" of "image run"; the whole name of a verb of one word.
[[nodiscard]] std::string_view last_word(const Command& command);

}  // namespace icecore::cli
