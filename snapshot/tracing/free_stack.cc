// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/free_stack.h"

#include <algorithm>
#include <optional>

#include "snapshot/tracing/task_list.h"

namespace icecore::snapshot {
namespace {

constexpr std::uint64_t kPartSize = CodeGadgets::kFreeStackSize;
// Tracers that died one soon after the other, each leaving a frame.
constexpr std::uint64_t kMaxParts = 3;

/// Of a thread that is stopped, or that sleeps in the kernel where it cannot be stopped.
std::optional<std::uint64_t> stack_pointer(const TracedTree& tree, int pid, int tid) {
  const auto thread = tree.threads().find(tid);
  if (thread != tree.threads().end() && thread->second.readable()) {
    return thread->second.registers.rsp;
  }
  const auto asleep = task_stack_pointer(pid, tid);
  return asleep && *asleep != 0 ? asleep : std::nullopt;
}

bool waits_for_vfork(const TracedTree& tree, int pid) {
  return std::ranges::any_of(tree.threads(), [pid](const auto& entry) {
    return entry.second.pid == pid && entry.second.state == TracedThread::State::Suspended;
  });
}

/// The stack pointer of the thread that runs on the main stack of the memory of `pid`.
std::optional<std::uint64_t> main_stack_pointer(const TracedTree& tree, int pid,
                                                const StackMapping& stack) {
  const auto on_stack = [&](const std::optional<std::uint64_t>& pointer) {
    return pointer && *pointer > stack.start && *pointer < stack.end;
  };
  const auto own = stack_pointer(tree, pid, pid);
  if (on_stack(own)) return own;
  // A child of vfork runs in its parent's memory, on the stack of the thread that made it.
  const auto process = tree.processes().find(pid);
  if (process == tree.processes().end()) return std::nullopt;
  const int parent = process->second.parent;
  if (!waits_for_vfork(tree, parent)) return std::nullopt;
  const auto parents = stack_pointer(tree, parent, parent);
  return on_stack(parents) ? parents : std::nullopt;
}

/// Whether the thread is on the way back on which step_syscall() of RemoteProcess sends threads.
bool is_on_way_back(const TracedThread& thread, const CodeGadgets& gadgets) {
  constexpr std::uint64_t kSyscallReturnSize = 3;
  constexpr std::uint64_t kSigreturnSize = 9;
  const std::uint64_t rip = thread.registers.rip;
  return (rip >= gadgets.syscall_return && rip < gadgets.syscall_return + kSyscallReturnSize) ||
         (rip >= gadgets.sigreturn && rip < gadgets.sigreturn + kSigreturnSize);
}

}  // namespace

std::uint64_t find_free_stack(const TracedTree& tree, int pid, const StackMapping& stack,
                              const CodeGadgets& gadgets) {
  std::uint64_t first_free = 0;
  for (const auto& [tid, thread] : tree.threads()) {
    // Of any process: the child of vfork has its parent's memory.
    if (!thread.readable() || !is_on_way_back(thread, gadgets)) continue;
    const std::uint64_t rsp = thread.registers.rsp;
    if (rsp < stack.start || rsp >= stack.start + kMaxParts * kPartSize) continue;
    first_free = std::max(first_free, (rsp - stack.start) / kPartSize + 1);
  }
  // Whoever left a thread there had found all parts free.
  if (first_free == 0) {
    const auto pointer = main_stack_pointer(tree, pid, stack);
    if (!pointer || *pointer < stack.start + (kMaxParts + 1) * kPartSize) return 0;
  }
  return first_free < kMaxParts ? stack.start + first_free * kPartSize : 0;
}

}  // namespace icecore::snapshot
