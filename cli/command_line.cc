// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <algorithm>
#include <boost/program_options.hpp>

#include "cli/common_options.h"
#include "cli/near_words.h"

namespace icecore::cli {
namespace {

namespace po = boost::program_options;

std::vector<Option> all_options(const Command& command) {
  std::vector<Option> options(command.options.begin(), command.options.end());
  options.insert(options.end(), kCommonOptions.begin(), kCommonOptions.end());
  return options;
}

po::options_description description_of(std::span<const Option> options) {
  po::options_description description;
  for (const Option& option : options) {
    std::string name(option.name);
    if (option.letter != 0) name += std::string(",") + option.letter;
    if (option.value.empty()) {
      description.add_options()(name.c_str(), "");
    } else {
      description.add_options()(name.c_str(), po::value<std::string>(), "");
    }
  }
  return description;
}

/// Whether the value of the option that `word` is comes as the next word.
bool takes_next_word(std::span<const Option> options, const std::string& word) {
  const auto wants_value = [&](auto matches) {
    const auto found = std::ranges::find_if(options, matches);
    return found != options.end() && !found->value.empty();
  };
  if (word.starts_with("--")) {
    return wants_value([&](const Option& option) { return option.name == word.substr(2); });
  }
  // "-qn": only the last letter can have its value in the next word.
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (wants_value([&](const Option& option) { return option.letter == word[i]; })) {
      return i + 1 == word.size();
    }
  }
  return false;
}

[[noreturn]] void throw_unknown(const std::string& name, std::span<const Option> options) {
  std::vector<std::string_view> names;
  std::ranges::transform(options, std::back_inserter(names), &Option::name);
  const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  UsageError error("there is no option " + name);
  std::string near;
  for (const std::string& candidate : near_words(bare, names)) {
    near += (near.empty() ? "the nearest: --" : ", --") + candidate;
  }
  error.set_why(near);
  throw error;
}

void check_choice(const Option& option, const std::string& value) {
  if (option.value.find('|') == std::string_view::npos) return;
  const std::string choices = "|" + std::string(option.value) + "|";
  if (!value.empty() && choices.find("|" + value + "|") != std::string::npos) return;
  throw UsageError("--" + std::string(option.name) + " " + value + ": must be one of " +
                   std::string(option.value));
}

void check_count(const Command& command, const std::vector<std::string>& arguments) {
  std::size_t least = 0;
  std::size_t most = 0;
  for (const Argument& argument : command.arguments) {
    if (argument.count == Argument::Count::One) ++least;
    most = argument.count == Argument::Count::Many ? arguments.size() : most + 1;
  }
  const std::string verb = "icecore " + std::string(command.name);
  if (arguments.size() < least) {
    throw UsageError(verb + ": " + std::string(command.arguments[arguments.size()].name) +
                     " is missing");
  }
  if (arguments.size() > std::max(least, most)) {
    throw UsageError(verb + ": one word too many: " + arguments[most]);
  }
}

}  // namespace

std::size_t first_plain_word(std::span<const Option> options, std::span<const std::string> words) {
  std::size_t at = 0;
  while (at < words.size()) {
    const std::string& word = words[at];
    if (word == "--" || word == "-" || !word.starts_with('-')) return at;
    at += takes_next_word(options, word) ? 2 : 1;
  }
  return words.size();
}

ParsedWords parse_words(const Command& command, std::span<const std::string> words) {
  const std::vector<Option> options = all_options(command);
  // Where our own words end. Boost would look for options behind the first plain word, and would
  // not tell "--" from its absence.
  std::size_t end = first_plain_word(options, words);
  if (command.rest != Rest::FromFirstWord) {
    while (end < words.size() && words[end] != "--") {
      ++end;
      end += first_plain_word(options, words.subspan(end));
    }
  }
  ParsedWords parsed;
  std::vector<std::string> tail(words.begin() + static_cast<std::ptrdiff_t>(end), words.end());
  if (!tail.empty() && tail.front() == "--") tail.erase(tail.begin());

  const auto description = description_of(options);
  po::positional_options_description positional;
  positional.add("", -1);
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const std::vector<std::string> own(words.begin(),
                                       words.begin() + static_cast<std::ptrdiff_t>(end));
    const auto result = po::command_line_parser(own).options(description).style(style).run();
    for (const auto& option : result.options) {
      if (option.position_key >= 0) {
        parsed.arguments.insert(parsed.arguments.end(), option.value.begin(), option.value.end());
        continue;
      }
      auto& values = parsed.options[option.string_key];
      values.push_back(option.value.empty() ? "" : option.value.front());
      check_choice(*std::ranges::find(options, option.string_key, &Option::name), values.back());
    }
  } catch (const po::unknown_option& unknown) {
    throw_unknown(unknown.get_option_name(), options);
  } catch (const po::error& wrong) {
    throw UsageError(wrong.what());
  }
  if (command.rest == Rest::None) {
    parsed.arguments.insert(parsed.arguments.end(), tail.begin(), tail.end());
  } else {
    parsed.rest = std::move(tail);
  }
  if (!parsed.options.contains("help")) check_count(command, parsed.arguments);
  return parsed;
}

}  // namespace icecore::cli
