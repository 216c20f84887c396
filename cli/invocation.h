// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/command.h"

namespace icecore::cli {

/// A wrong command line: exit status 2, and a hint to the verb's help. main.cc prints it.
class UsageError : public Error {
 public:
  explicit UsageError(std::string what) : Error(std::move(what)) {
    set_exit_status(ExitStatus::WrongUsage);
  }
};

/// The words of a command line, sorted by what they are.
struct ParsedWords {
  std::map<std::string, std::vector<std::string>, std::less<>> options;  ///< name to its values
  std::vector<std::string> arguments;
  std::vector<std::string> rest;  ///< see Rest
};

/// One use of a verb: what was asked, with the common options understood. Asking for an option that
/// the verb's table does not have is a bug and aborts.
class Invocation {
 public:
  Invocation(const Command& command, ParsedWords words);

  [[nodiscard]] const Command& command() const { return command_; }
  [[nodiscard]] bool has(std::string_view option) const;
  /// The value given (the last one), else the row's fallback, which may be empty.
  [[nodiscard]] std::string text(std::string_view option) const;
  /// Every value given, in order.
  [[nodiscard]] std::vector<std::string> all(std::string_view option) const;
  /// "500ms", "2s", "1.5m", "1h", "3" (seconds); nullopt when neither given nor with a fallback.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> duration(std::string_view option) const;
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view option) const;

  [[nodiscard]] const std::vector<std::string>& arguments() const { return words_.arguments; }
  /// The n-th argument, or "" when it was not given.
  [[nodiscard]] std::string argument(std::size_t index) const;
  [[nodiscard]] const std::vector<std::string>& rest() const { return words_.rest; }

  /// --store, else $ICECORE_STORE, else $XDG_DATA_HOME/icecore, else ~/.local/share/icecore.
  [[nodiscard]] std::filesystem::path store_directory() const;

  [[nodiscard]] bool quiet() const { return has("quiet"); }
  /// Whether what goes to `fd` is coloured: --color, NO_COLOR, TERM and whether it is a terminal.
  [[nodiscard]] bool colour(int fd) const;
  /// One line on stderr for the person at the terminal; nothing with -q.
  void note(std::string_view message) const;

 private:
  [[nodiscard]] const Option& row(std::string_view option) const;
  const Command& command_;
  ParsedWords words_;
};

}  // namespace icecore::cli
