// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace icecore::snapshot {

/// One system call to be run inside a traced process; `result` is what the kernel returned
/// (-errno).
struct RemoteCall {
  std::int64_t number = 0;
  std::array<std::uint64_t, 6> arguments{};
  std::int64_t result = 0;

  /// The result of a call that seccomp forbids (seccomp_gate.h).
  static constexpr std::int64_t kNotMade = std::numeric_limits<std::int64_t>::min();
};

}  // namespace icecore::snapshot
