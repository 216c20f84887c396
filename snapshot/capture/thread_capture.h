// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "snapshot/capture/memory_space.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/model/snapshot.pb.h"
#include "snapshot/tracing/traced_tree.h"

namespace icecore::snapshot {

/// The threads of frozen processes, remembered from snapshot to snapshot: of a *quiet* thread, one
/// that ran nothing of its program since the last, what only the thread itself can change is what
/// it was, and of a process whose threads are all quiet nearly everything.
///
/// A thread is quiet when all of this holds:
/// - It waits in the same system call with the same registers and vector state.
/// - It has slept once and stopped once since: the kernel started the call again after the last
///   snapshot, and we stopped it. Any other way to be here again has more voluntary switches, but
///   for a call that returned at once, followed by others, and was then made anew.
/// - Nothing wrote to the stack around its stack pointer: to make the call anew, the program would
///   have called the function that makes it, and written the return address there.
/// docs/decisions/ says what is left: a loop of system calls in line, without any function.
class ThreadCapture {
 public:
  explicit ThreadCapture(TracedTree& tree) : tree_(tree) {}

  /// A process as it was in the last snapshot.
  struct Known {
    model::Process process;
    std::map<int, int> threads;             ///< index in process.threads(), by tid
    std::map<int, std::uint64_t> switches;  ///< voluntary ones, by tid
  };

  /// Adds the threads to `process`, whose credentials must be filled. `space` has looked for
  /// writes; null when the process uses the memory of another. Says whether any thread may have
  /// run.
  MemorySpace::Ran capture(const ProcDirectory& directory, const MemorySpace* space,
                           model::Process& process, model::Snapshot& snapshot);
  /// After Ran::No: the process as it was in the last snapshot.
  [[nodiscard]] const Known& before(const model::Process& process) const;
  /// A thread ran on our behalf after it was captured: the switches since then do not count.
  void ran_for_us(int pid, int tid);

  /// After the pause: what the next snapshot is compared with. Without it, none is quiet.
  void remember(const model::Snapshot& snapshot);

  [[nodiscard]] const Known* find_known(int pid, std::uint64_t start_time) const;
  /// What was known of the thread if it seems to rest where it rested then; else null.
  static const model::Thread* resting_place(const Known* known, const TracedThread* traced,
                                            const MemorySpace* space);
  /// All threads of the process rest: whether that holds for everything else that is theirs.
  [[nodiscard]] static bool has_rested(const Known& known, const model::Process& process,
                                       const MemorySpace& space);
  /// Instead of capture(), for a thread that was found at rest in another way.
  void set_switches(int pid, int tid, std::uint64_t count);

 private:
  bool capture_quiet(const ProcDirectory& directory, const Known& known,
                     const model::Thread& before, const model::Process& process,
                     TracedThread& traced, model::Thread& thread);
  bool capture_other(const ProcDirectory& directory, int tid, TracedThread* traced,
                     model::Process& process, model::Thread& thread, model::Snapshot& snapshot);
  TracedTree& tree_;
  std::map<int, Known> known_;                            ///< by pid
  std::map<int, std::map<int, std::uint64_t>> switches_;  ///< of this pause, by pid and tid
};

}  // namespace icecore::snapshot
