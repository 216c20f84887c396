// SPDX-License-Identifier: Apache-2.0
#include "cli/verb_words.h"

#include "cli/commands.h"

namespace icecore::cli {

std::vector<const Command*> family_of(std::string_view first) {
  std::vector<const Command*> family;
  for (const Command& command : commands()) {
    const bool is_member = command.name.size() > first.size() && command.name.starts_with(first) &&
                           command.name[first.size()] == ' ';
    if (is_member) family.push_back(&command);
  }
  return family;
}

std::string_view last_word(const Command& command) {
  const auto space = command.name.rfind(' ');
  return space == std::string_view::npos ? command.name : command.name.substr(space + 1);
}

NamedVerb find_verb(std::span<const std::string> words) {
  if (words.empty()) return {};
  const bool is_family = !family_of(words[0]).empty();
  if (!is_family) return {find_command(words[0]), 1, words[0]};
  if (words.size() == 1) return {nullptr, 1, words[0]};
  const std::string name = words[0] + " " + words[1];
  return {find_command(name), 2, name};
}

}  // namespace icecore::cli
