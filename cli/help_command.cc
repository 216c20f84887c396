// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/commands.h"
#include "cli/help_text.h"
#include "cli/invocation.h"
#include "cli/manual_page.h"
#include "cli/unknown_verb.h"
#include "cli/verb_words.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"VERB", Argument::Count::Many, Completes::Verb},
};
constexpr std::array kOptions = {
    Option{"man", 0, "", "print the manual page, in troff"},
    Option{"man-pages", 0, "DIR", "write all manual pages into DIR", Completes::Directory},
};

void write_page(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text << std::flush)) throw_errno("write " + path.string());
}

void write_pages(const std::filesystem::path& directory) {
  write_page(directory / "icecore.1", overview_manual());
  for (const Command& command : commands()) {
    if (command.group == Group::Hidden) continue;
    write_page(directory / (page_name(command) + ".1"), manual_page(command));
  }
}

int run(const Invocation& invocation) {
  const bool man = invocation.has("man");
  if (invocation.has("man-pages")) {
    write_pages(invocation.text("man-pages"));
  } else if (invocation.arguments().empty()) {
    std::cout << (man ? overview_manual() : overview_text());
  } else {
    const NamedVerb verb = find_verb(invocation.arguments());
    if (verb.command == nullptr) throw_unknown_verb(verb.name);
    if (verb.words < invocation.arguments().size()) {
      throw UsageError("icecore help: one word too many: " + invocation.argument(verb.words));
    }
    std::cout << (man ? manual_page(*verb.command) : help_text(*verb.command));
  }
  return 0;
}

}  // namespace

Command help_command() {
  return {.name = "help",
          .group = Group::About,
          .summary = "show the verbs, or the help of one",
          .usage = "help [--man] [VERB]",
          .arguments = kArguments,
          .options = kOptions,
          .run = run};
}

}  // namespace icecore::cli
