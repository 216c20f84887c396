// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace icecore::replay {

/// Bytes that `copies` of process `pid` take beside what it has itself. Walks all of their memory.
std::uint64_t memory_of_copies(int pid, const std::vector<int>& copies);

/// Keeps watch over that as the process runs and more copies are made of it. What it writes is
/// copied by page faults, which the kernel counts: so most of the time nothing has to be walked.
class CopyMemory {
 public:
  /// An eighth of the machine's memory, unless said.
  explicit CopyMemory(std::uint64_t most = default_most()) : most_(most) {}
  bool is_too_much(int pid, const std::vector<int>& copies);

  static std::uint64_t default_most();

 private:
  std::uint64_t most_;
  std::uint64_t measured_ = 0;
  std::uint64_t faults_then_ = 0;
};

}  // namespace icecore::replay
