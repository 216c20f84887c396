// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/capture/tree_capture.h"
#include "snapshot/control_socket.h"
#include "snapshot/recording_state.h"
#include "snapshot/storing_thread.h"
#include "snapshot/tracing/traced_tree.h"
#include "store/recording_writer.h"

namespace icecore::snapshot {

/// Where a store keeps what belongs to a living recorder of `recording`.
struct RecorderFiles {
  RecorderFiles(const std::filesystem::path& store, std::string_view recording);
  std::filesystem::path state;
  std::filesystem::path socket;
};

struct RecorderOptions {
  /// Periodic snapshots at this distance; nullopt: only on request.
  std::optional<std::chrono::nanoseconds> interval;
  /// Whether the first periodic snapshot is due at once or after one interval.
  enum class First { AtOnce, AfterInterval } first = First::AtOnce;
  /// Ends taking periodic snapshots after so many; nullopt: never.
  std::optional<std::uint64_t> count;
  /// Ends the recorder with the last of them, or waits for the program's end.
  enum class AfterCount { End, Wait } after_count = AfterCount::End;
  /// A freeze that takes longer thaws everything and skips the snapshot.
  std::chrono::nanoseconds freeze_timeout = std::chrono::seconds(2);
  TracedTree::Between between = TracedTree::Between::Detached;
  /// Signals sent to us: end and leave the tree alone, or pass them on to its root.
  enum class Signals { End, PassOn } signals = Signals::End;
  /// Ends when `thaw` comes: the recorder was started by `freeze PID` only.
  enum class Purpose { Record, HoldFrozen } purpose = Purpose::Record;
  std::string tag;
  FileKeeping files;
  /// Of copied pages in memory at a time; what is more goes to a nameless file of the store.
  std::uint64_t buffer_bytes = std::numeric_limits<std::uint64_t>::max();
  /// One line for the person at the terminal; never called from another thread.
  std::function<void(std::string_view)> note;
};

/// Watches over one tree: takes snapshots at a steady interval without drift, on request and just
/// before a process dies of a signal; keeps the state word; answers `icecore
/// snap|freeze|thaw|state`. One thread does all tracing, a second one stores. SIGCHLD and the
/// terminating signals must be blocked in every thread (block_recorder_signals()).
class Recorder {
 public:
  Recorder(store::RecordingWriter writer, const std::filesystem::path& store, int root,
           RecorderOptions options);
  ~Recorder();

  enum class End { RootExited, CountReached, Asked, Thawed };
  /// Until the tree ends or it is told to. The tree is thawed and let go when it returns or throws.
  End run();
  /// Attaches first, for a root that waits to be let go (run's child).
  void attach() { tree_.attach(); }
  /// After RootExited of our own child: its wait status.
  [[nodiscard]] std::optional<int> root_status() const { return root_status_; }
  [[nodiscard]] std::uint64_t snapshots_taken() const { return taken_; }
  [[nodiscard]] std::optional<std::uint64_t> last_number() const { return last_number_; }
  /// The most bytes of memory that copied pages have taken at a time.
  [[nodiscard]] std::uint64_t buffer_peak() const { return capture_.buffer_peak(); }
  /// Freezes before run() begins; throws when it cannot within the timeout.
  void freeze_now();
  /// Instead of run(): one snapshot, stored when this returns its number; throws when it was not.
  enum class Afterwards { Resume, Kill };
  std::uint64_t snap_once(Afterwards afterwards);

 private:
  struct Waiting {
    int client;
    std::string verb;
  };
  void poll_once();
  void on_timer();
  void on_signal();
  void read_signals();
  void on_root_ended();
  void on_stored();
  void dispatch_tree();
  void on_event(const TreeEvent& event);
  void on_requests();
  void request_snapshot(int client, const std::string& tag);
  void request_freeze(int client);
  void request_thaw(int client);
  enum class FreezeResult { Frozen, TimedOut, Cancelled, Empty };
  FreezeResult freeze();
  void thaw();
  std::optional<std::string> place_first_watches();
  std::optional<std::string> prepare_snapshot();
  bool take_snapshot(const model::Cause& cause, const std::string& tag, int client);
  std::optional<std::string> freeze_or_say_why();
  std::uint64_t snapshot_and_kill(const std::string& tag);
  void kill_tree();
  void wait_until_stored();
  void skip(std::string_view reason);
  void set_timer();

  store::RecordingWriter writer_;
  RecorderFiles files_;
  RecorderOptions options_;
  TracedTree tree_;
  TreeCapture capture_;
  StateWord word_;
  ControlServer control_;
  UniqueFd timer_;
  UniqueFd signals_;
  UniqueFd root_process_;  ///< pidfd, readable when the root has ended
  StoringThread storing_;
  bool held_ = false;  ///< frozen by request: snapshots do not thaw
  std::string last_failure_;
  std::vector<Waiting> waiting_for_store_;
  std::optional<End> end_;
  std::optional<int> root_status_;
  std::uint64_t taken_ = 0;
  std::optional<std::uint64_t> last_number_;
};

/// Blocks the signals that a Recorder reads from a signalfd, and returns the mask before, for a
/// child that execs. Call before any thread is made.
sigset_t block_recorder_signals();

}  // namespace icecore::snapshot
