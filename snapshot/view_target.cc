// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_target.h"

#include "snapshot/view_files.h"
#include "snapshot/view_moment.h"
#include "snapshot/view_monitor.h"
#include "snapshot/view_process.h"
#include "snapshot/view_tables.h"
#include "snapshot/view_travel.h"

namespace icecore::snapshot {
namespace {

gdbstub::ThreadId thread_with_tid(const ViewMoment& moment, std::int32_t tid) {
  for (const auto& thread : moment.threads()) {
    if (thread.id.tid == tid) return thread.id;
  }
  return {};
}

/// What a client is shown first: the thread that is about to die, else the wanted process.
gdbstub::StopEvent first_stop(const ViewMoment& moment, std::int32_t pid) {
  const auto& cause = moment.model().cause();
  if (cause.kind() == model::Cause::CRASH) {
    const gdbstub::ThreadId thread = thread_with_tid(moment, cause.tid());
    if (thread.pid != 0 && (pid == 0 || pid == thread.pid)) {
      return {thread, gdbstub::Signalled{cause.signal()}};
    }
  }
  if (pid != 0)
    return {moment.nearest_thread({moment.process(pid).pid(), pid}), gdbstub::Signalled{}};
  const std::int32_t root = moment.model().root_pid();
  return {moment.nearest_thread({root, root}), gdbstub::Signalled{}};
}

}  // namespace

struct ViewTarget::Parts {
  Parts(const SnapshotSequence& sequence, const store::SnapshotKey& key, std::int32_t pid)
      : moment(sequence, key), travel(moment, first_stop(moment, pid)) {}

  ViewMoment moment;
  ViewTravel travel;
  ViewProcess process{moment};
  ViewFiles files{moment};
  ViewTables tables{moment};
  ViewMonitor monitor{moment, travel};
  ViewWriting writing{moment};
  ViewAttaching attaching{moment, travel};
};

ViewTarget::ViewTarget(const SnapshotSequence& sequence, const store::SnapshotKey& key,
                       std::int32_t pid)
    : parts_(std::make_unique<Parts>(sequence, key, pid)) {}

ViewTarget::~ViewTarget() = default;

const store::SnapshotKey& ViewTarget::current_key() const {
  return parts_->moment.snapshot().key();
}

std::vector<gdbstub::ThreadDescription> ViewTarget::threads() { return parts_->moment.threads(); }

gdbstub::StopEvent ViewTarget::current_stop() { return parts_->travel.current_stop(); }

const gdbstub::RegisterLayout& ViewTarget::register_layout() {
  return parts_->moment.registers().layout();
}

gdbstub::RegisterValues ViewTarget::read_registers(gdbstub::ThreadId thread) {
  return parts_->moment.registers().decode(parts_->moment.thread(thread));
}

std::size_t ViewTarget::read_memory(std::int32_t pid, std::uint64_t address,
                                    std::span<std::byte> out) {
  return parts_->moment.snapshot().read_memory(parts_->moment.process(pid), address, out);
}

gdbstub::Attaching* ViewTarget::attaching() { return &parts_->attaching; }
gdbstub::Breakpoints* ViewTarget::breakpoints() { return &parts_->travel; }
gdbstub::Execution* ViewTarget::execution() { return &parts_->travel; }
gdbstub::HostFiles* ViewTarget::host_files() { return &parts_->files; }
gdbstub::Libraries* ViewTarget::libraries() { return &parts_->process; }
gdbstub::MemoryRegions* ViewTarget::memory_regions() { return &parts_->process; }
gdbstub::Monitor* ViewTarget::monitor() { return &parts_->monitor; }
gdbstub::ProcessFacts* ViewTarget::process_facts() { return &parts_->process; }
gdbstub::ReverseExecution* ViewTarget::reverse_execution() { return &parts_->travel; }
gdbstub::SignalDetails* ViewTarget::signal_details() { return &parts_->process; }
gdbstub::SystemTables* ViewTarget::system_tables() { return &parts_->tables; }
gdbstub::ThreadLocalStorage* ViewTarget::thread_local_storage() { return &parts_->process; }
gdbstub::Writing* ViewTarget::writing() { return &parts_->writing; }

}  // namespace icecore::snapshot
