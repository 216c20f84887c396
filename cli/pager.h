// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "cli/invocation.h"

namespace icecore::cli {

/// Sends stdout through $PAGER (else less) while it lives, when stdout is a terminal. As git does:
/// less is asked to leave at once when all fits on the screen.
class Pager {
 public:
  explicit Pager(const Invocation& invocation);
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;
  /// Waits until the reader has seen enough.
  ~Pager();

  /// Whether what is written may be coloured: what the terminal behind the pager is like.
  [[nodiscard]] bool colour() const { return colour_; }

 private:
  void start(const std::string& program);
  bool colour_;
  pid_t pid_ = -1;
};

}  // namespace icecore::cli
