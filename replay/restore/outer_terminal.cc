// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/outer_terminal.h"

#include <asm/termbits.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/background_terminal_use.h"
#include "replay/files/inherited.h"

namespace icecore::replay {
namespace {

/// The group that was in the foreground, as we see it; nullopt when it was none of the tree's.
std::optional<pid_t> foreground_group(const model::Snapshot& model,
                                      const std::map<int, int>& pids) {
  for (const auto& process : model.processes()) {
    if (process.foreground_group() == 0) continue;
    for (const auto& member : model.processes()) {
      if (member.process_group() != process.foreground_group()) continue;
      const auto living = pids.find(member.pid());
      if (living == pids.end()) continue;
      const pid_t group = ::getpgid(living->second);
      if (group > 0) return group;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string hand_over_terminal(int fd, const model::Snapshot& model,
                               const std::map<int, int>& pids) {
  const model::OpenFile* const terminal = outer_terminal(model);
  if (terminal == nullptr) return {};
  const BackgroundTerminalUse use;
  termios2 settings{};
  std::memcpy(&settings, terminal->termios().data(),
              std::min(sizeof settings, terminal->termios().size()));
  if (::ioctl(fd, TCSETS2, &settings) != 0) {
    return std::string("the terminal keeps its settings: ") + ::strerror(errno);
  }
  const auto group = foreground_group(model, pids);
  if (group && ::ioctl(fd, TIOCSPGRP, &*group) != 0) {
    return std::string("nothing of the tree is in the foreground of the terminal: ") +
           ::strerror(errno);
  }
  return {};
}

}  // namespace icecore::replay
