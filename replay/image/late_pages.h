// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace icecore::replay {

/// Pages of a process that it has not got yet, by where they are to be, and of which page of the
/// snapshot each is a copy: another one as soon as the program has moved them by mremap(2). Page
/// numbers are addresses / 4096.
class LatePages {
 public:
  struct Run {
    std::uint64_t first = 0;   ///< where they are to be
    std::uint64_t source = 0;  ///< where they were in the snapshot
    std::uint64_t count = 0;
    bool operator==(const Run&) const = default;
  };

  [[nodiscard]] bool empty() const { return runs_.empty(); }
  /// None of them may be there already.
  void add(const Run& run);
  /// Takes out those of [first, first + count) that are there, by address.
  std::vector<Run> cut(std::uint64_t first, std::uint64_t count);
  /// Takes out at most `most` neighbours, the lowest that there are. Not when it is empty.
  Run take_some(std::uint64_t most);

 private:
  std::map<std::uint64_t, Run> runs_;  // by first
};

}  // namespace icecore::replay
