// SPDX-License-Identifier: Apache-2.0
// What the completion scripts of all shells ask. Prints "WORD<tab>DESCRIPTION" lines, or one of
// ":files", ":directories", ":programs"; fails silently, since nobody could read a message there.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/commands.h"
#include "cli/completion_words.h"
#include "cli/open_store.h"
#include "cli/quantities.h"

namespace icecore::cli {
namespace {

std::vector<Candidate> recordings(const store::Store& store, const std::string& begun) {
  std::vector<Candidate> found;
  for (const auto& recording : store.recordings()) {
    if (!recording.name.starts_with(begun)) continue;
    found.push_back(
        {recording.name, count_text(recording.snapshots, "snapshot") + " of " + recording.command});
  }
  return found;
}

/// Snapshots of the recording that `begun` names before its "@", newest first.
std::vector<Candidate> snapshots(const store::Store& store, const std::string& begun) {
  const auto at = begun.find('@');
  if (at == std::string::npos) {
    auto found = recordings(store, begun);
    for (Candidate& candidate : found) candidate.word += "@";
    return found;
  }
  const auto all = store.recordings();
  if (all.empty()) return {};
  const std::string prefix = begun.substr(0, at + 1);
  const std::string name = at == 0 ? all.front().name : begun.substr(0, at);
  std::vector<Candidate> found = {{prefix + "last"}};
  for (const auto& snapshot : store.snapshots(name)) {
    const std::string what = local_time_text(snapshot.realtime_ns) + " " + snapshot.cause;
    found.push_back({prefix + std::to_string(snapshot.key.number), what});
    if (!snapshot.tag.empty()) found.push_back({prefix + snapshot.tag, what});
  }
  std::erase_if(found, [&](const Candidate& c) { return !c.word.starts_with(begun); });
  std::ranges::reverse(found);
  return found;
}

/// Processes that the user may look into; kernel threads have no executable to read.
std::vector<Candidate> pids(const std::string& begun) {
  std::vector<Candidate> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!pid.starts_with(begun) || pid == std::to_string(::getpid())) continue;
    if (std::filesystem::read_symlink(entry.path() / "exe", error).empty()) continue;
    std::string comm;
    std::getline(std::ifstream(entry.path() / "comm"), comm);
    found.push_back({pid, comm});
  }
  return found;
}

std::vector<Candidate> find_words(const Invocation& invocation, Completes kind,
                                  const std::string& begun) {
  if (kind == Completes::Pid) return pids(begun);
  std::vector<Candidate> found;
  if (kind == Completes::RecordingOrPid) found = pids(begun);
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  auto named = kind == Completes::Snapshot ? snapshots(store, begun) : recordings(store, begun);
  found.insert(found.begin(), named.begin(), named.end());
  return found;
}

/// --store, when the line being completed has one.
std::string store_of(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "--store") return words[i + 1];
    if (words[i].starts_with("--store=")) return words[i].substr(8);
  }
  return {};
}

int run(const Invocation& invocation) {
  const auto& words = invocation.rest();
  ParsedWords asked;
  if (const auto store = store_of(words); !store.empty()) asked.options["store"] = {store};
  const Invocation line(invocation.command(), asked);
  const auto find = [&](Completes kind, const std::string& begun) -> std::vector<Candidate> {
    try {
      return find_words(line, kind, begun);
    } catch (const Error&) {
      return kind == Completes::RecordingOrPid ? pids(begun) : std::vector<Candidate>{};
    }
  };
  const Completion completion = complete_words(words, find);
  for (const auto& [word, description] : completion.candidates) {
    std::cout << word << "\t" << description << "\n";
  }
  if (completion.shell == Completion::Shell::Files) std::cout << ":files\n";
  if (completion.shell == Completion::Shell::Directories) std::cout << ":directories\n";
  if (completion.shell == Completion::Shell::Programs) std::cout << ":programs\n";
  return 0;
}

}  // namespace

Command complete_command() {
  return {.name = "complete",
          .group = Group::Hidden,
          .summary = "say what may come next on a command line; for the completion scripts",
          .usage = "complete -- WORD...",
          .rest = Rest::AfterDashes,
          .run = run};
}

}  // namespace icecore::cli
