// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/help_text.h"
#include "cli/invocation.h"
#include "cli/near_words.h"
#include "cli/unknown_verb.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"VERB", Argument::Count::Optional, Completes::Verb},
};

int run(const Invocation& invocation) {
  if (invocation.arguments().empty()) {
    std::cout << overview_text();
    return 0;
  }
  const Command* command = find_command(invocation.argument(0));
  if (command == nullptr) throw_unknown_verb(invocation.argument(0));
  std::cout << help_text(*command);
  return 0;
}

}  // namespace

Command help_command() {
  return {.name = "help",
          .group = Group::About,
          .summary = "show the verbs, or the help of one",
          .usage = "help [VERB]",
          .arguments = kArguments,
          .run = run};
}

}  // namespace icecore::cli
