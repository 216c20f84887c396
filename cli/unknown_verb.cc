// SPDX-License-Identifier: Apache-2.0
#include "cli/unknown_verb.h"

#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <vector>

#include "cli/commands.h"
#include "cli/invocation.h"
#include "cli/near_words.h"

namespace icecore::cli {
namespace {

bool is_program(const std::string& word) {
  if (word.find('/') != std::string::npos) return ::access(word.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it later
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (::access((directory + "/" + word).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace

void throw_unknown_verb(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) {
    if (command.group != Group::Hidden) names.push_back(command.name);
  }
  UsageError error("there is no verb '" + word + "'");
  std::string near;
  for (const std::string& name : near_words(word, names)) {
    near += (near.empty() ? "the nearest: " : ", ") + name;
  }
  error.set_why(near);
  error.set_hint(is_program(word) ? "icecore run -- " + word : "icecore help");
  throw error;
}

}  // namespace icecore::cli
