// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace icecore::cli {

class Invocation;

/// What the shell offers for a word.
enum class Completes {
  Nothing,
  Snapshot,
  Recording,
  RecordingOrPid,
  Pid,
  File,
  Directory,
  Program,
  Verb
};

/// One option of a verb. Help, man page, completion and the parser all read this row.
struct Option {
  std::string_view name;   ///< without the dashes: "every"
  char letter = 0;         ///< 'q' for -q, 0 for none
  std::string_view value;  ///< "TIME"; "auto|always|never" allows these only; empty for a switch
  std::string_view help;   ///< lower case, no full stop
  Completes completes = Completes::Nothing;
  std::string_view fallback = {};  ///< the value when it is not given
};

/// One word that is no option.
struct Argument {
  enum class Count { One, Optional, Many };  ///< Many: none or more
  std::string_view name;                     ///< "SNAPSHOT"
  Count count = Count::One;
  Completes completes = Completes::Nothing;
};

/// What happens to words that belong to another program.
enum class Rest {
  None,           ///< the verb takes none; `--` only ends the options
  AfterDashes,    ///< all that follows `--`: gdb SNAPSHOT -- GDB ARGS
  FromFirstWord,  ///< all from `--` or the first word that is no option: run PROGRAM ARGS
};

/// Where `icecore help` lists a verb.
enum class Group { Take, Look, Debug, Image, Keep, About, Hidden };

/// One verb, wholly described; each is made by one cli/<verb>_command.cc and listed in commands.h.
/// The spans and views refer to constants of that file.
struct Command {
  /// "restore", or two words for one of a family: "image run".
  std::string_view name;
  Group group = Group::Look;
  std::string_view summary;  ///< one line, lower case, no full stop
  /// The forms of use without "icecore ", one per line: "show [--json] SNAPSHOT".
  std::string_view usage;
  /// Paragraphs for help and the man page, separated by empty lines; a line that begins with two
  /// spaces is kept as it is.
  std::string_view description = {};
  std::span<const Argument> arguments = {};
  std::span<const Option> options = {};
  Rest rest = Rest::None;
  /// Command lines to paste, one per line, each followed by "  # why".
  std::string_view examples = {};
  /// Returns the exit status; throws Error for what cannot be done.
  int (*run)(const Invocation& invocation) = nullptr;
};

}  // namespace icecore::cli
