// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gdbstub/target/target.h"
#include "snapshot/view_sequence.h"

namespace icecore::snapshot {

/// A snapshot as a debugger sees it: everything can be looked at, nothing is executed or changed.
/// `sequence` must outlive it. One for each client.
class ViewTarget : public gdbstub::Target {
 public:
  /// `pid` is the process to select first, 0 for the one that crashed or the root of the tree.
  ViewTarget(const SnapshotSequence& sequence, const store::SnapshotKey& key, std::int32_t pid = 0);
  ~ViewTarget() override;

  /// Where travelling has led to.
  [[nodiscard]] const store::SnapshotKey& current_key() const;

  std::vector<gdbstub::ThreadDescription> threads() override;
  gdbstub::StopEvent current_stop() override;
  const gdbstub::RegisterLayout& register_layout() override;
  gdbstub::RegisterValues read_registers(gdbstub::ThreadId thread) override;
  std::size_t read_memory(std::int32_t pid, std::uint64_t address,
                          std::span<std::byte> out) override;
  /// Looking ends; there is nothing to let go of or to kill.
  void detach(std::int32_t) override {}
  void kill(std::int32_t) override {}

  gdbstub::Attaching* attaching() override;
  gdbstub::Breakpoints* breakpoints() override;
  gdbstub::Execution* execution() override;
  gdbstub::HostFiles* host_files() override;
  gdbstub::Libraries* libraries() override;
  gdbstub::MemoryRegions* memory_regions() override;
  gdbstub::Monitor* monitor() override;
  gdbstub::ProcessFacts* process_facts() override;
  gdbstub::ReverseExecution* reverse_execution() override;
  gdbstub::SignalDetails* signal_details() override;
  gdbstub::SystemTables* system_tables() override;
  gdbstub::ThreadLocalStorage* thread_local_storage() override;
  gdbstub::Writing* writing() override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace icecore::snapshot
