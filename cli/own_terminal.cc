// SPDX-License-Identifier: Apache-2.0
#include "cli/own_terminal.h"

#include <unistd.h>

#include <csignal>

#include "base/background_terminal_use.h"

namespace icecore::cli {

OwnTerminal::OwnTerminal() {
  group_ = ::tcgetpgrp(STDIN_FILENO);
  termios settings{};
  if (group_ == ::getpgrp() && ::tcgetattr(STDIN_FILENO, &settings) == 0) settings_ = settings;
}

OwnTerminal::~OwnTerminal() {
  if (!settings_) return;
  const BackgroundTerminalUse use;
  ::tcsetpgrp(STDIN_FILENO, group_);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*settings_);
}

int OwnTerminal::descriptor() const { return settings_ ? STDIN_FILENO : -1; }

void OwnTerminal::ask_to_redraw() const {
  const pid_t group = ::tcgetpgrp(STDIN_FILENO);
  if (settings_ && group > 0 && group != group_) ::killpg(group, SIGWINCH);
}

}  // namespace icecore::cli
