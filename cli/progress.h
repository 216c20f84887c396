// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/invocation.h"

namespace icecore::cli {

/// One line on stderr that says how far long work is; only on a terminal, and wiped at the end.
class Progress {
 public:
  Progress(const Invocation& invocation, std::string what);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void show(std::uint64_t done, std::uint64_t total);

 private:
  bool wanted_;
  bool shown_ = false;
  std::string what_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace icecore::cli
