// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <span>
#include <vector>

#include "gdbstub/target/breakpoints.h"
#include "gdbstub/target/execution.h"
#include "snapshot/view_moment.h"

namespace icecore::snapshot {

/// Nothing in a view is executed: to go on is to go to the next snapshot, to go back to the
/// previous one. With watchpoints it is the first in that direction in which watched bytes differ.
class ViewTravel : public gdbstub::Execution,
                   public gdbstub::ReverseExecution,
                   public gdbstub::Breakpoints {
 public:
  ViewTravel(ViewMoment& moment, gdbstub::StopEvent stop);

  /// Why the view stands still now.
  [[nodiscard]] const gdbstub::StopEvent& current_stop() const { return stop_; }
  void set_current_thread(gdbstub::ThreadId thread) { stop_.thread = thread; }

  /// The next move, whatever its direction, goes to `key`. A client forgets what it has read only
  /// when the target was resumed, so a command that moved at once would leave it with a mix of two
  /// moments.
  /// Throws Error when process `pid` does not exist there.
  void go_to_next(const store::SnapshotKey& key, std::int32_t pid);
  [[nodiscard]] const std::optional<store::SnapshotKey>& destination() const {
    return destination_;
  }

  /// The snapshots before this one, the nearest first, as far as the process lives.
  [[nodiscard]] std::vector<store::SnapshotKey> keys_before(std::int32_t pid) const {
    return keys_ahead(Direction::Back, pid);
  }

  void resume(std::span<const gdbstub::ResumeAction> actions) override;
  void interrupt() override {}
  std::optional<gdbstub::StopEvent> next_event() override { return stop_; }
  void continue_backward(gdbstub::ThreadId thread) override;
  void step_backward(gdbstub::ThreadId thread) override;

  /// Between two snapshots a write can be seen by what it left, a read cannot.
  [[nodiscard]] bool supports(gdbstub::Breakpoint::Kind kind) const override {
    return kind != gdbstub::Breakpoint::Kind::ReadWatch;
  }
  void insert(const gdbstub::Breakpoint& breakpoint) override { breakpoints_.insert(breakpoint); }
  void remove(const gdbstub::Breakpoint& breakpoint) override { breakpoints_.erase(breakpoint); }

 private:
  enum class Direction { Back, Forward };
  struct Place {
    store::SnapshotKey key;
    gdbstub::StopReason reason;
  };

  void travel(Direction direction, gdbstub::ThreadId preferred);
  /// Where to; the reason is what the move itself says.
  [[nodiscard]] Place find_place(Direction direction, std::int32_t pid) const;
  /// Nearest first, as far as the process lives.
  [[nodiscard]] std::vector<store::SnapshotKey> keys_ahead(Direction direction,
                                                           std::int32_t pid) const;
  [[nodiscard]] bool lives_in(const store::SnapshotKey& key, std::int32_t pid) const;
  [[nodiscard]] gdbstub::StopEvent arrive(const Place& place, gdbstub::ThreadId preferred) const;
  [[nodiscard]] const gdbstub::Breakpoint* breakpoint_at(gdbstub::ThreadId thread) const;
  [[nodiscard]] gdbstub::ThreadId thread_of(std::span<const gdbstub::ResumeAction> actions) const;

  ViewMoment& moment_;
  gdbstub::StopEvent stop_;
  // The real stop, while the client reads the list of libraries anew.
  std::optional<gdbstub::StopEvent> after_libraries_;
  std::optional<store::SnapshotKey> destination_;
  std::set<gdbstub::Breakpoint> breakpoints_;
};

}  // namespace icecore::snapshot
