// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <unistd.h>

#include <iostream>

#include "cli/quantities.h"

namespace icecore::cli {
namespace {

// Work shorter than this shows nothing, and later lines come no faster.
constexpr std::chrono::milliseconds kInterval{200};

}  // namespace

Progress::Progress(const Invocation& invocation, std::string what)
    : wanted_(!invocation.quiet() && ::isatty(STDERR_FILENO) == 1),
      what_(std::move(what)),
      next_(std::chrono::steady_clock::now() + kInterval) {}

Progress::~Progress() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
}

void Progress::show(std::uint64_t done, std::uint64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!wanted_ || now < next_) return;
  next_ = now + kInterval;
  shown_ = true;
  const auto percent = total == 0 ? 100 : done * 100 / total;
  std::cerr << "\r\033[K" << what_ << ": " << percent << "% of " << bytes_text(total) << std::flush;
}

}  // namespace icecore::cli
