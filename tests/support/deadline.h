// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace icecore::test {

/// The one deadline of all tests: how long anything that is waited for may take, on a loaded
/// machine. Below ctest's own 60 s, so that the test can still say what hung.
inline constexpr std::chrono::milliseconds kDeadline{30'000};

/// A moment that lies kDeadline after its construction.
class Deadline {
 public:
  Deadline() : end_(std::chrono::steady_clock::now() + kDeadline) {}

  [[nodiscard]] bool passed() const { return remaining_milliseconds() == 0; }
  /// For poll(): never negative.
  [[nodiscard]] int remaining_milliseconds() const {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(
        end_ - std::chrono::steady_clock::now());
    return rest.count() > 0 ? static_cast<int>(rest.count()) : 0;
  }

 private:
  std::chrono::steady_clock::time_point end_;
};

}  // namespace icecore::test
