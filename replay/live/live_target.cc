// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_target.h"

#include <exception>
#include <utility>

#include "base/log.h"
#include "replay/live/live_allocation.h"
#include "replay/live/live_breakpoints.h"
#include "replay/live/live_execution.h"
#include "replay/live/live_facts.h"
#include "replay/live/live_files.h"
#include "replay/live/live_monitor.h"
#include "replay/live/live_starting.h"
#include "replay/live/live_state.h"
#include "replay/live/live_tables.h"
#include "replay/live/live_threads.h"

namespace icecore::replay {

struct LiveTarget::Parts {
  Parts(LiveTarget& target, std::shared_ptr<LiveTree> shared, const LiveOptions& chosen)
      : tree(std::move(shared)), options(chosen), breakpoints(*tree, target) {}

  std::shared_ptr<LiveTree> tree;
  LiveOptions options;
  LiveState state{*tree};
  LiveExecution execution{*tree};
  LiveAllocation allocation{*tree};
  LiveBreakpoints breakpoints;
  LiveFacts facts{*tree};
  LiveFiles files{*tree, options};
  LiveTables tables{*tree};
  LiveMonitor monitor{*tree, options};
  LiveStarting starting{*tree, options};
};

LiveTarget::LiveTarget(std::shared_ptr<LiveTree> tree, const LiveOptions& options) {
  tree->stand_still();
  tree->forget_interrupt();
  tree->set_mode(LiveTree::Mode::AllStop);
  tree->wishes() = LiveWishes{};
  parts_ = std::make_unique<Parts>(*this, std::move(tree), options);
}

LiveTarget::~LiveTarget() {
  try {
    parts_->tree->stand_still();
  } catch (const std::exception& error) {
    log(Topic::Tracing, std::string("stopping what a client has left: ") + error.what());
  }
}

std::vector<gdbstub::ThreadDescription> LiveTarget::threads() {
  return describe_threads(*parts_->tree);
}

gdbstub::StopEvent LiveTarget::current_stop() {
  if (parts_->tree->mode() == LiveTree::Mode::AllStop) parts_->tree->stand_still();
  return parts_->tree->current_stop();
}

const gdbstub::RegisterLayout& LiveTarget::register_layout() { return parts_->state.layout(); }

gdbstub::RegisterValues LiveTarget::read_registers(gdbstub::ThreadId thread) {
  return parts_->state.read_registers(thread);
}

std::size_t LiveTarget::read_memory(std::int32_t pid, std::uint64_t address,
                                    std::span<std::byte> out) {
  return parts_->state.read_memory(pid, address, out);
}

void LiveTarget::detach(std::int32_t pid) { parts_->tree->detach(pid); }
void LiveTarget::kill(std::int32_t pid) { parts_->tree->kill(pid); }

gdbstub::Allocation* LiveTarget::allocation() { return &parts_->allocation; }
gdbstub::Attaching* LiveTarget::attaching() {
  return parts_->options.choice == LiveOptions::Choice::Free ? &parts_->starting : nullptr;
}
gdbstub::Launching* LiveTarget::launching() {
  return parts_->options.choice == LiveOptions::Choice::Free ? &parts_->starting : nullptr;
}
gdbstub::Breakpoints* LiveTarget::breakpoints() { return &parts_->breakpoints; }
gdbstub::EventChoice* LiveTarget::event_choice() { return &parts_->execution; }
gdbstub::Execution* LiveTarget::execution() { return &parts_->execution; }
gdbstub::HostFiles* LiveTarget::host_files() { return &parts_->files; }
gdbstub::Libraries* LiveTarget::libraries() { return &parts_->facts; }
gdbstub::MemoryRegions* LiveTarget::memory_regions() { return &parts_->facts; }
gdbstub::Monitor* LiveTarget::monitor() { return &parts_->monitor; }
gdbstub::NonStop* LiveTarget::non_stop() { return &parts_->execution; }
gdbstub::ProcessFacts* LiveTarget::process_facts() { return &parts_->facts; }
gdbstub::SignalDetails* LiveTarget::signal_details() { return &parts_->facts; }
gdbstub::SignalPassing* LiveTarget::signal_passing() { return &parts_->execution; }
gdbstub::SystemCallCatching* LiveTarget::system_call_catching() { return &parts_->execution; }
gdbstub::SystemTables* LiveTarget::system_tables() { return &parts_->tables; }
gdbstub::ThreadLocalStorage* LiveTarget::thread_local_storage() { return &parts_->facts; }
gdbstub::Writing* LiveTarget::writing() { return &parts_->state; }

}  // namespace icecore::replay
