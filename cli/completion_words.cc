// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_words.h"

#include <algorithm>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/text_lines.h"
#include "cli/verb_words.h"

namespace icecore::cli {
namespace {

std::vector<Option> options_of(const Command* command) {
  std::vector<Option> options(kCommonOptions.begin(), kCommonOptions.end());
  if (command != nullptr) {
    options.insert(options.begin(), command->options.begin(), command->options.end());
  }
  return options;
}

Completion complete_option_names(std::span<const Option> options, const std::string& word) {
  Completion completion;
  for (const Option& option : options) {
    const std::string name = "--" + std::string(option.name);
    if (name.starts_with(word)) completion.candidates.push_back({name, std::string(option.help)});
  }
  return completion;
}

Completion complete_verbs(const std::string& word) {
  Completion completion;
  for (const Command& command : commands()) {
    if (command.group == Group::Hidden || !command.name.starts_with(word)) continue;
    const std::string name(command.name.substr(0, command.name.find(' ')));
    const auto& known = completion.candidates;
    if (!known.empty() && known.back().word == name) continue;
    completion.candidates.push_back({name, std::string(command.summary)});
  }
  return completion;
}

/// The second word of a verb of two.
Completion complete_family(const std::string& first, const std::string& word) {
  Completion completion;
  for (const Command* command : family_of(first)) {
    if (!last_word(*command).starts_with(word)) continue;
    completion.candidates.push_back(
        {std::string(last_word(*command)), std::string(command->summary)});
  }
  return completion;
}

Completion complete_kind(Completes kind, const std::string& word, const FindWords& find) {
  switch (kind) {
    case Completes::Nothing:
      return {};
    case Completes::File:
      return {{}, Completion::Shell::Files};
    case Completes::Directory:
      return {{}, Completion::Shell::Directories};
    case Completes::Program:
      return {{}, Completion::Shell::Programs};
    case Completes::Verb:
      return complete_verbs(word);
    case Completes::Snapshot:
    case Completes::Recording:
    case Completes::RecordingOrPid:
    case Completes::Pid:
      return {find(kind, word), Completion::Shell::Nothing};
  }
  return {};
}

Completion complete_value(const Option& option, const std::string& word, const FindWords& find) {
  if (option.value.find('|') == std::string_view::npos) {
    return complete_kind(option.completes, word, find);
  }
  std::string choices(option.value);
  std::ranges::replace(choices, '|', '\n');
  Completion completion;
  for (const std::string& choice : split_lines(choices)) {
    if (choice.starts_with(word)) completion.candidates.push_back({choice});
  }
  return completion;
}

/// The option whose value comes next after `word`, or null.
const Option* awaits_value(std::span<const Option> options, const std::string& word) {
  const std::vector<std::string> alone = {word, "value"};
  if (first_plain_word(options, alone) != alone.size()) return nullptr;
  const auto found = std::ranges::find_if(options, [&](const Option& option) {
    return word == "--" + std::string(option.name) ||
           (option.letter != 0 && word.ends_with(option.letter) && !word.starts_with("--"));
  });
  return found == options.end() ? nullptr : &*found;
}

/// "--color=au": the value of an option that is in the same word.
Completion complete_joined_value(std::span<const Option> options, const std::string& word,
                                 const FindWords& find) {
  const auto equals = word.find('=');
  const auto found = std::ranges::find(options, word.substr(2, equals - 2), &Option::name);
  if (found == options.end()) return {};
  Completion completion = complete_value(*found, word.substr(equals + 1), find);
  for (Candidate& candidate : completion.candidates) {
    candidate.word.insert(0, word.substr(0, equals + 1));
  }
  return completion;
}

Completion complete_arguments(const Command& command, std::size_t place, const std::string& word,
                              const FindWords& find) {
  if (command.rest == Rest::FromFirstWord) {
    return complete_kind(place == 0 ? Completes::Program : Completes::File, word, find);
  }
  if (command.arguments.empty()) return {};
  const std::size_t last = command.arguments.size() - 1;
  if (place > last && command.arguments[last].count != Argument::Count::Many) return {};
  return complete_kind(command.arguments[std::min(place, last)].completes, word, find);
}

}  // namespace

Completion complete_words(std::span<const std::string> words, const FindWords& find) {
  if (words.empty()) return complete_verbs("");
  const std::string& word = words.back();
  const auto before = words.first(words.size() - 1);
  const std::size_t verb = first_plain_word(kCommonOptions, before);
  const NamedVerb named = verb < before.size() ? find_verb(before.subspan(verb)) : NamedVerb{};
  const Command* command = named.command;
  if (named.words == 1 && verb + 1 == before.size() && !family_of(named.name).empty()) {
    return complete_family(named.name, word);
  }
  const std::vector<Option> options = options_of(command);

  std::size_t plain = 0;
  bool ours = true;  // false behind `--` or the first word of another program
  const Option* awaiting = nullptr;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (i >= verb && i < verb + named.words) continue;
    if (awaiting != nullptr) {
      awaiting = nullptr;
    } else if (ours && before[i] == "--") {
      ours = false;
      if (command != nullptr && command->rest == Rest::AfterDashes)
        return {{}, Completion::Shell::Files};
    } else if (ours && before[i].starts_with('-')) {
      awaiting = awaits_value(options, before[i]);
    } else {
      ++plain;
      if (command != nullptr && command->rest == Rest::FromFirstWord) ours = false;
    }
  }
  if (awaiting != nullptr) return complete_value(*awaiting, word, find);
  if (ours && word.starts_with("--") && word.find('=') != std::string::npos) {
    return complete_joined_value(options, word, find);
  }
  if (ours && word.starts_with('-')) return complete_option_names(options, word);
  if (verb >= before.size()) return complete_verbs(word);
  return command == nullptr ? Completion{} : complete_arguments(*command, plain, word, find);
}

}  // namespace icecore::cli
