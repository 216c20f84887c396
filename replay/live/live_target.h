// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "gdbstub/target/target.h"
#include "replay/live/live_options.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// Living processes as a debugger sees them: one for each client, while the tree outlives clients.
/// A client that went away without a word leaves the tree standing still, without breakpoints.
/// Thread ids are those of the PID namespace that we run in, for a life in a sandbox too
/// (docs/decisions/018).
class LiveTarget : public gdbstub::Target {
 public:
  LiveTarget(std::shared_ptr<LiveTree> tree, const LiveOptions& options);
  ~LiveTarget() override;

  std::vector<gdbstub::ThreadDescription> threads() override;
  gdbstub::StopEvent current_stop() override;
  const gdbstub::RegisterLayout& register_layout() override;
  gdbstub::RegisterValues read_registers(gdbstub::ThreadId thread) override;
  std::size_t read_memory(std::int32_t pid, std::uint64_t address,
                          std::span<std::byte> out) override;
  void detach(std::int32_t pid) override;
  void kill(std::int32_t pid) override;

  gdbstub::Allocation* allocation() override;
  gdbstub::Attaching* attaching() override;
  gdbstub::Breakpoints* breakpoints() override;
  gdbstub::EventChoice* event_choice() override;
  gdbstub::Execution* execution() override;
  gdbstub::HostFiles* host_files() override;
  gdbstub::Launching* launching() override;
  gdbstub::Libraries* libraries() override;
  gdbstub::MemoryRegions* memory_regions() override;
  gdbstub::Monitor* monitor() override;
  gdbstub::NonStop* non_stop() override;
  gdbstub::ProcessFacts* process_facts() override;
  gdbstub::SignalDetails* signal_details() override;
  gdbstub::SignalPassing* signal_passing() override;
  gdbstub::SystemCallCatching* system_call_catching() override;
  gdbstub::SystemTables* system_tables() override;
  gdbstub::ThreadLocalStorage* thread_local_storage() override;
  gdbstub::Writing* writing() override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace icecore::replay
