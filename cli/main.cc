// SPDX-License-Identifier: Apache-2.0
// Finds the verb, sorts its words, runs it; every failure ends here as `error: why: hint:`.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/error_report.h"
#include "cli/help_text.h"
#include "cli/unknown_verb.h"
#include "cli/verb_words.h"

namespace icecore::cli {
namespace {

int run_verb(const Command& command, std::span<const std::string> words) {
  try {
    const Invocation invocation(command, parse_words(command, words));
    if (invocation.has("help")) {
      std::cout << help_text(command);
      return 0;
    }
    if (invocation.has("verbose")) ::setenv("ICECORE_LOG", "all", 1);  // before any thread exists
    return command.run(invocation);
  } catch (Error& error) {
    // By its status, not its type: `throw UsageError(...).set_why(...)` throws the Error inside.
    if (error.exit_status() == ExitStatus::WrongUsage && error.hint().empty())
      error.set_hint("icecore help " + std::string(command.name));
    throw;
  }
}

int run_words(std::vector<std::string> words) {
  const std::size_t place = first_plain_word(kCommonOptions, words);
  if (place == words.size()) {
    const auto given = [&](std::string_view word) {
      return std::ranges::find(words, word) != words.end();
    };
    if (given("--version")) {
      std::cout << "icecore " ICECORE_VERSION "\n";
      return 0;
    }
    if (given("--help") || given("-h")) {
      std::cout << overview_text();
      return 0;
    }
    std::cerr << overview_text();
    return static_cast<int>(ExitStatus::WrongUsage);
  }
  const NamedVerb verb = find_verb(std::span(words).subspan(place));
  if (verb.command == nullptr) throw_unknown_verb(verb.name);
  const auto first = words.begin() + static_cast<std::ptrdiff_t>(place);
  words.erase(first, first + static_cast<std::ptrdiff_t>(verb.words));
  return run_verb(*verb.command, words);
}

int run_main(std::vector<std::string> words) {
  try {
    const int status = run_words(std::move(words));
    // A full disk behind `icecore list > file` must not look like success.
    if (!std::cout.flush()) throw Error("write to stdout: failed");
    return status;
  } catch (const Error& error) {
    std::cout.flush();
    std::cerr << error_report(error);
    return static_cast<int>(error.exit_status());
  } catch (const std::bad_alloc&) {
    std::cerr << error_report(Error("there is not enough memory"));
  } catch (const std::exception& error) {
    std::cerr << error_report(Error(error.what()));
  }
  return static_cast<int>(ExitStatus::Failed);
}

}  // namespace
}  // namespace icecore::cli

int main(int argc, char** argv) {
  return icecore::cli::run_main(std::vector<std::string>(argv + 1, argv + argc));
}
