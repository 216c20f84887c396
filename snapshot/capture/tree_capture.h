// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "snapshot/capture/kept_files.h"
#include "snapshot/capture/mapped_files.h"
#include "snapshot/capture/mapping_flags_cache.h"
#include "snapshot/capture/memory_buffer.h"
#include "snapshot/capture/memory_shared.h"
#include "snapshot/capture/memory_space.h"
#include "snapshot/capture/namespaces.h"
#include "snapshot/capture/resting_tree.h"
#include "snapshot/capture/thread_capture.h"
#include "snapshot/model/snapshot.pb.h"
#include "snapshot/tracing/code_gadgets.h"
#include "snapshot/tracing/traced_tree.h"

namespace icecore::snapshot {

/// What changed of one space, for store::SnapshotWriter::write_pages.
struct SpaceChange {
  store::SpaceId space{};
  std::vector<store::PageRun> runs;
};

/// One moment, taken but not stored yet. The page data lies in `pages`.
struct CapturedSnapshot {
  model::Snapshot model;
  std::vector<SpaceChange> spaces;  ///< a CopyOf source comes before its users
  PageBuffer pages;
  std::vector<MappedFiles::Pending> files;
  std::vector<KeptFiles::Pending> kept_files;

  explicit CapturedSnapshot(std::shared_ptr<BufferPool> pool) : pages(std::move(pool)) {}
};

/// Turns a frozen tree into the model, from snapshot to snapshot of one recording. Keeps between
/// them what makes the next one cheap: write watches, page sets, opened files.
class TreeCapture {
 public:
  TreeCapture(TracedTree& tree, std::function<store::SpaceId()> new_space, FileKeeping keeping = {},
              const BufferLimit& buffers = {});

  /// True before the first snapshot: a short freeze with place_watches() ahead of prepare() then
  /// spares the pause the copying of everything.
  [[nodiscard]] bool wants_watches() const { return spaces_.empty(); }
  /// While it is frozen: begins to watch the writes of processes that are not watched yet.
  void place_watches();
  /// While the tree runs: copies what is dirty already, reads what the pause should not.
  void prepare();
  /// While it is frozen: the snapshot. prepare() before it is optional and makes it shorter.
  std::unique_ptr<CapturedSnapshot> take(const model::Cause& cause);
  /// After the thaw: what need not be read in the pause (the flags of mappings).
  void complete(CapturedSnapshot& captured);

  /// The tree ends when the next snapshot is stored: what only its own life forbids may be done.
  void expect_end() { danger_ = SeccompGate::Danger::Taken; }

  /// The last captured snapshot was not stored: the next must hold everything again.
  void forget();

  /// Of the last pause: processes of which most was read before it.
  [[nodiscard]] std::size_t read_ahead() const { return read_ahead_; }
  /// The most bytes of memory that copied pages have taken at a time.
  [[nodiscard]] std::uint64_t buffer_peak() const { return pool_->peak(); }

 private:
  [[nodiscard]] std::vector<int> parents_first() const;
  void look_ahead();
  void capture_state(CapturedSnapshot& captured);
  void capture_all(CapturedSnapshot& captured);
  bool capture_others(CapturedSnapshot& captured);
  void collect_files(model::Snapshot& snapshot);
  void capture_process(int pid, CapturedSnapshot& captured);
  void capture_running(const ProcDirectory& directory, MemorySpace* space, model::Process& process);
  void capture_resting(const ProcDirectory& directory, model::Process& process);
  [[nodiscard]] bool has_rested(const model::Process& process, const MemorySpace* space) const;
  void ask_processes(model::Snapshot& snapshot);
  void ask_process(model::Process& process, MemorySpace* space, model::Snapshot& snapshot);
  static void not_asked(const model::Process& process, model::Snapshot& snapshot);
  void capture_pending(model::Process& process);
  void capture_memory(CapturedSnapshot& captured);
  MemorySpace& space_of(const model::Process& process);
  void list_unread(model::Snapshot& snapshot);
  void drop_pages(CapturedSnapshot& captured, const model::Process& process,
                  const model::Mapping& mapping);

  TracedTree& tree_;
  std::function<store::SpaceId()> new_space_;
  std::shared_ptr<BufferPool> pool_;
  std::unique_ptr<CapturedSnapshot> next_;              ///< begun by prepare()
  std::map<int, std::unique_ptr<MemorySpace>> spaces_;  ///< by pid
  ThreadCapture threads_;
  RestingTree resting_tree_;
  enum class Files { InPause, PartlyAhead, Ahead } files_read_ = Files::InPause;
  int first_in_pause_ = 0;  ///< with PartlyAhead: the first process whose files are to be read
  /// By pid: mappings as prepare() saw them, for the look ahead.
  std::map<int, model::Process> prepared_;
  std::set<int> resting_;  ///< processes that did not run between the last two snapshots
  std::size_t read_ahead_ = 0;
  struct Unasked {
    model::Process* process;
    MemorySpace* space;  ///< null when it is another's
  };
  std::vector<Unasked> unasked_;           ///< of this pause
  std::set<std::uint64_t> shared_spaces_;  ///< of the last snapshot: used by several processes
  SharedMemory shared_;
  MappedFiles files_;
  KeptFiles kept_;
  MappingFlagsCache flags_;
  GadgetFinder gadgets_;
  std::map<int, PageSet> unread_;  ///< by pid: pages of this snapshot that could not be read
  SeccompGate::Danger danger_ = SeccompGate::Danger::Avoided;
  OwnNamespaces namespaces_;
  model::Machine machine_;
  std::uint64_t last_dirty_bytes_ = 0;
};

}  // namespace icecore::snapshot
