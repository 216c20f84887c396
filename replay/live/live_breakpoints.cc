// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_breakpoints.h"

#include <exception>
#include <utility>
#include <vector>

#include "base/log.h"
#include "gdbstub/target/target.h"

namespace icecore::replay {

using gdbstub::Breakpoint;

LiveBreakpoints::LiveBreakpoints(LiveTree& tree, gdbstub::Target& target)
    : tree_(tree), target_(target) {
  tree_.wishes().stops_at = [this](gdbstub::ThreadId thread, const Breakpoint& breakpoint) {
    return stops_at(thread, breakpoint);
  };
}

LiveBreakpoints::~LiveBreakpoints() {
  tree_.wishes().stops_at = nullptr;
  try {
    const auto left = std::exchange(inserted_, {});
    for (const auto& [breakpoint, condition] : left) {
      if (tree_.processes().contains(breakpoint.pid)) remove(breakpoint);
    }
  } catch (const std::exception& error) {
    log(Topic::Tracing, std::string("taking out breakpoints: ") + error.what());
  }
}

bool LiveBreakpoints::supports(Breakpoint::Kind kind) const {
  return kind != Breakpoint::Kind::ReadWatch;
}

bool LiveBreakpoints::stops_at(gdbstub::ThreadId thread, const Breakpoint& breakpoint) const {
  for (const auto& [known, condition] : inserted_) {
    const bool same = known.kind == breakpoint.kind && known.pid == breakpoint.pid &&
                      known.address == breakpoint.address;
    if (same) return condition == nullptr || condition->asks_for_stop(target_, thread);
  }
  return true;
}

void LiveBreakpoints::insert(const Breakpoint& breakpoint) {
  insert_conditional(breakpoint, nullptr);
}

void LiveBreakpoints::insert_conditional(const Breakpoint& breakpoint,
                                         std::shared_ptr<const gdbstub::StopCondition> condition) {
  LiveProcess& process = tree_.process(breakpoint.pid);
  if (!inserted_.contains(breakpoint)) {
    if (breakpoint.kind == Breakpoint::Kind::Software) {
      process.memory->insert_trap(breakpoint.address, breakpoint.pid);
    } else {
      process.watches.insert(breakpoint);
      tree_.apply_watches(process);
    }
  }
  inserted_[breakpoint] = std::move(condition);
}

void LiveBreakpoints::remove(const Breakpoint& breakpoint) {
  inserted_.erase(breakpoint);
  LiveProcess& process = tree_.process(breakpoint.pid);
  if (breakpoint.kind == Breakpoint::Kind::Software) {
    process.memory->remove_trap(breakpoint.address, breakpoint.pid);
  } else {
    process.watches.remove(breakpoint);
    tree_.apply_watches(process);
  }
}

}  // namespace icecore::replay
