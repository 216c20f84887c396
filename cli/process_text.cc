// SPDX-License-Identifier: Apache-2.0
#include "cli/process_text.h"

#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <map>
#include <set>

#include "cli/quantities.h"

namespace icecore::cli {
namespace {

using Children = std::map<int, std::vector<const model::Process*>>;

void add_lines(const Children& children, const model::Process& process, std::size_t depth,
               std::set<int>& shown, std::string& text) {
  if (!shown.insert(process.pid()).second) return;
  const std::string state = state_text(process);
  text += std::string(2 + 2 * depth, ' ') + std::to_string(process.pid()) + " " +
          command_text(process) + (state.empty() ? "" : "  (" + state + ")") + "\n";
  const auto below = children.find(process.pid());
  if (below == children.end()) return;
  for (const auto* child : below->second) add_lines(children, *child, depth + 1, shown, text);
}

std::string in_quotes(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,*";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += static_cast<unsigned char>(c) < ' ' ? '?' : c;
    }
  }
  return text + "'";
}

}  // namespace

std::vector<std::string> zero_separated(const std::string& bytes) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto end = std::min(bytes.find('\0', at), bytes.size());
    words.push_back(bytes.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::string command_text(const model::Process& process) {
  std::vector<std::string> words = zero_separated(process.command_line());
  // Programs that write their state there (setproctitle) leave one text and empty words.
  while (!words.empty() && words.back().empty()) words.pop_back();
  if (words.empty()) return "[" + process.comm() + "]";
  if (words.size() == 1) return words.front();
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + in_quotes(word);
  return text;
}

std::string signal_text(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

std::string state_text(const model::Process& process) {
  switch (process.state()) {
    case model::Process::ZOMBIE:
      if (WIFSIGNALED(process.exit_code())) {
        return "zombie, killed by " + signal_text(WTERMSIG(process.exit_code()));
      }
      return "zombie, exit status " + std::to_string(WEXITSTATUS(process.exit_code()));
    case model::Process::STOPPED:
      return "stopped";
    case model::Process::LEADER_EXITED:
      return "its first thread has exited";
    default:
      return "";
  }
}

std::string process_tree_text(const model::Snapshot& snapshot) {
  std::set<int> pids;
  for (const auto& process : snapshot.processes()) pids.insert(process.pid());
  Children children;
  std::vector<const model::Process*> roots;
  for (const auto& process : snapshot.processes()) {
    if (pids.contains(process.parent_pid())) {
      children[process.parent_pid()].push_back(&process);
    } else {
      roots.push_back(&process);
    }
  }
  std::set<int> shown;
  std::string text;
  for (const auto* root : roots) add_lines(children, *root, 0, shown, text);
  return text;
}

}  // namespace icecore::cli
