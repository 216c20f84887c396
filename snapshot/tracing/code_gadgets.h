// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "snapshot/tracing/traced_tree.h"

namespace icecore::snapshot {

/// Places in a process that its first remote system call needs, before there is memory of ours in
/// it.
struct CodeGadgets {
  std::uint64_t syscall = 0;         ///< a `syscall` instruction, always there
  std::uint64_t syscall_return = 0;  ///< `syscall; ret`, 0 when none was found
  std::uint64_t sigreturn = 0;       ///< `mov $15, %rax; syscall`, 0 when none was found
  /// kFreeStackSize bytes of the main stack that nothing can be using (free_stack.h), or 0.
  std::uint64_t free_stack = 0;
  static constexpr std::uint64_t kFreeStackSize = 16384;
};

/// The mapping named [stack]; empty when there is none.
struct StackMapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

/// Finds them, and remembers them from snapshot to snapshot: what is remembered is checked against
/// the process's memory each time, as it may have executed another program.
class GadgetFinder {
 public:
  std::optional<CodeGadgets> find(const TracedTree& tree, int pid);

 private:
  struct Known {
    CodeGadgets gadgets;
    StackMapping stack;
  };
  static std::optional<Known> search(int pid);
  static bool still_there(int pid, const CodeGadgets& gadgets);
  std::map<int, Known> known_;
};

}  // namespace icecore::snapshot
