// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/mapped_region.h"
#include "base/unique_fd.h"

namespace icecore::snapshot {

/// The one word that says what happens to a tree. Legal transitions:
/// RUNNING-FREEZING-FROZEN-THAWING- RUNNING, FREEZING-THAWING (cancelled), FROZEN-CKPTING-FROZEN,
/// FROZEN-RSTRTING-FROZEN, RSTRTING-ABORTING-DEAD, and any-DEAD when the tree has ended.
enum class RecordingState : std::uint8_t {
  Running,
  Freezing,
  Frozen,
  Thawing,
  Checkpointing,
  Restarting,
  Aborting,
  Dead,
};

/// "RUNNING", "FREEZING" ... as people and scripts read them.
[[nodiscard]] std::string_view name_of(RecordingState state);
[[nodiscard]] bool is_legal(RecordingState from, RecordingState to);

/// What any process reads at any time.
struct StateReport {
  RecordingState state = RecordingState::Dead;
  int owner_pid = 0;          ///< the recorder
  int root_pid = 0;           ///< the tree
  int holdup_tid = 0;         ///< Freezing: the task that has not stopped
  std::int64_t since_ns = 0;  ///< CLOCK_MONOTONIC of the last transition
};

/// The state word of one living recording, in a small shared file of the store (`run/NAME.state`):
/// written by the recorder with one atomic store, read by anybody without asking the recorder. A
/// lock on the file tells whether its recorder lives.
class StateWord {
 public:
  /// Creates the file; the recorder is the calling process.
  StateWord(const std::filesystem::path& file, int root_pid);
  StateWord(const StateWord&) = delete;
  StateWord& operator=(const StateWord&) = delete;
  /// Removes the file.
  ~StateWord();

  [[nodiscard]] RecordingState state() const { return state_; }
  /// An illegal transition is a broken invariant of ours.
  void enter(RecordingState state);
  /// While Freezing: names the task that holds it up, 0 for none.
  void set_holdup(int tid);

  /// nullopt when there is no such file or its recorder is gone.
  static std::optional<StateReport> read(const std::filesystem::path& file);

 private:
  struct Shared;
  [[nodiscard]] Shared& shared() const;

  std::filesystem::path file_;
  UniqueFd fd_;
  MappedRegion region_;
  RecordingState state_ = RecordingState::Running;
};

}  // namespace icecore::snapshot
