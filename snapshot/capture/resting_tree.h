// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "snapshot/capture/descriptors.h"
#include "snapshot/capture/mapping_flags_cache.h"
#include "snapshot/capture/memory_space.h"
#include "snapshot/capture/run_counts.h"
#include "snapshot/capture/thread_capture.h"
#include "snapshot/model/snapshot.pb.h"
#include "snapshot/tracing/traced_tree.h"

namespace icecore::snapshot {

/// The state of processes in which nothing runs, read before the tree is frozen, so that the pause
/// only has to find that nothing ran.
///
/// Right by this argument: what look_ahead() reads, it reads after the counts of how often each
/// thread was given a CPU. find_rest() wants each to have got it once more, which was to stop, and
/// to be where it was in the last snapshot by all that ThreadCapture asks of a quiet thread. If
/// that holds for the whole tree, no thread of it can have seen what somebody outside of the tree
/// changed meanwhile: such a change counts as made after the snapshot. If it holds for some
/// processes only, the others may have changed what is not a process's own (limits, scheduling, the
/// names and times of files, what is shared by open descriptors): that is read again in the pause,
/// and what only the process itself can change stands.
class RestingTree {
 public:
  RestingTree(TracedTree& tree, ThreadCapture& threads) : tree_(tree), threads_(threads) {}

  using Spaces = std::map<int, std::unique_ptr<MemorySpace>>;  ///< by pid
  using Mappings = std::map<int, model::Process>;              ///< by pid, with flags

  /// While the tree runs: fills `snapshot`, which must stay where it is, with those of `pids`
  /// (parents first) that seem to rest, taking their part out of `mappings`.
  void look_ahead(const std::vector<int>& pids, const Spaces& spaces, Mappings& mappings,
                  model::Snapshot& snapshot);
  /// Whether the last look filled anything.
  [[nodiscard]] bool has_looked() const { return descriptors_.has_value(); }

  enum class Rest {
    None,  ///< `snapshot` is empty again
    Some,  ///< it holds the processes that rest as they are now, but for their descriptors
    All,   ///< it is what the tree is now
  };
  /// While it is frozen.
  Rest find_rest(const Spaces& spaces, model::Snapshot& snapshot);
  /// After Some, when the other processes have been added: all descriptors of the tree.
  void capture_descriptors(model::Snapshot& snapshot);

 private:
  struct Seen {
    std::uint64_t runs = 0;      ///< times on a CPU
    std::uint64_t switches = 0;  ///< voluntary ones
  };
  void count_runs(const std::vector<int>& pids);
  bool look_at(int pid, const Spaces& spaces, Mappings& mappings, model::Snapshot& snapshot);
  bool look_at_threads(const ProcDirectory& directory, const ThreadCapture::Known& known,
                       model::Process& process);
  bool refresh(model::Process& process);
  bool has_only_stopped(int pid, int tid, const Seen& seen);
  bool is_as_seen(model::Process& process, const Spaces& spaces);
  bool is_as_seen(const ThreadCapture::Known& known, const MemorySpace& space,
                  const model::Process& process, model::Thread& thread);

  TracedTree& tree_;
  ThreadCapture& threads_;
  RunCounts counts_;
  std::map<int, Seen> seen_;                      ///< by tid
  std::optional<DescriptorCapture> descriptors_;  ///< holds when the state was read ahead
  std::set<int> rested_;                          ///< of this pause, after Some
};

}  // namespace icecore::snapshot
