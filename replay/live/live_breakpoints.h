// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>

#include "gdbstub/target/breakpoints.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// Software breakpoints are int3 in the program's memory; all others are debug registers. A read
/// watchpoint cannot be had: amd64 watches writes, or writes and reads. (gdb then takes an access
/// watchpoint.) A forked child starts without any.
class LiveBreakpoints : public gdbstub::Breakpoints {
 public:
  /// `target` is what conditions look at; both must outlive it.
  LiveBreakpoints(LiveTree& tree, gdbstub::Target& target);
  LiveBreakpoints(const LiveBreakpoints&) = delete;
  LiveBreakpoints& operator=(const LiveBreakpoints&) = delete;
  /// Takes out what was put in: a client that went away leaves none.
  ~LiveBreakpoints() override;

  [[nodiscard]] bool supports(gdbstub::Breakpoint::Kind kind) const override;
  void insert(const gdbstub::Breakpoint& breakpoint) override;
  void remove(const gdbstub::Breakpoint& breakpoint) override;
  [[nodiscard]] bool evaluates_conditions() const override { return true; }
  void insert_conditional(const gdbstub::Breakpoint& breakpoint,
                          std::shared_ptr<const gdbstub::StopCondition> condition) override;
  [[nodiscard]] unsigned watchpoint_count() const override { return 4; }

 private:
  [[nodiscard]] bool stops_at(gdbstub::ThreadId thread,
                              const gdbstub::Breakpoint& breakpoint) const;

  LiveTree& tree_;
  gdbstub::Target& target_;
  /// A null condition is always true.
  std::map<gdbstub::Breakpoint, std::shared_ptr<const gdbstub::StopCondition>> inserted_;
};

}  // namespace icecore::replay
