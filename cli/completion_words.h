// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"

namespace icecore::cli {

/// One word that the shell may offer.
struct Candidate {
  std::string word;
  std::string description = {};
};

/// What the words so far call for: words of ours, or files and programs, which the shell knows
/// better.
struct Completion {
  enum class Shell { Nothing, Files, Directories, Programs };
  std::vector<Candidate> candidates;
  Shell shell = Shell::Nothing;
};

/// Finds words of a changing kind: snapshots, recordings, pids. The string is the word begun.
using FindWords = std::function<std::vector<Candidate>(Completes, const std::string&)>;

/// Completes the last of `words` (those after "icecore"; the last may be empty).
[[nodiscard]] Completion complete_words(std::span<const std::string> words, const FindWords& find);

}  // namespace icecore::cli
