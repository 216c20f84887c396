// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <optional>

namespace icecore::cli {

/// The terminal on which we run in the foreground, lent to others: at the end it has its settings
/// and us in its foreground again.
class OwnTerminal {
 public:
  /// Nothing is lent when stdin is no terminal, or we are in its background.
  OwnTerminal();
  OwnTerminal(const OwnTerminal&) = delete;
  OwnTerminal& operator=(const OwnTerminal&) = delete;
  ~OwnTerminal();

  /// The descriptor to be lent, -1 for none.
  [[nodiscard]] int descriptor() const;
  /// Tells who has it now that its size may be another (SIGWINCH): its screen is not to be seen
  /// yet.
  void ask_to_redraw() const;

 private:
  std::optional<termios> settings_;
  pid_t group_ = -1;
};

}  // namespace icecore::cli
