// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gdbstub/target/attaching.h"
#include "gdbstub/target/libraries.h"
#include "gdbstub/target/memory_regions.h"
#include "gdbstub/target/process_facts.h"
#include "gdbstub/target/signal_details.h"
#include "gdbstub/target/thread_local_storage.h"
#include "gdbstub/target/writing.h"
#include "snapshot/view_moment.h"
#include "snapshot/view_travel.h"

namespace icecore::snapshot {

/// What a client asks about one process or thread of a view, beyond registers and memory.
class ViewProcess : public gdbstub::ProcessFacts,
                    public gdbstub::Libraries,
                    public gdbstub::MemoryRegions,
                    public gdbstub::SignalDetails,
                    public gdbstub::ThreadLocalStorage {
 public:
  explicit ViewProcess(const ViewMoment& moment) : moment_(moment) {}

  std::string executable(std::int32_t pid) override;
  std::vector<std::byte> auxiliary_vector(std::int32_t pid) override;
  std::int32_t parent(std::int32_t pid) override;
  std::string host_name() override;
  std::string kernel_release() override;

  gdbstub::LibraryList libraries(std::int32_t pid) override;
  std::optional<std::uint64_t> debug_pointer(std::int32_t pid) override;
  std::vector<gdbstub::MemoryRegion> regions(std::int32_t pid) override;
  std::vector<std::byte> siginfo(gdbstub::ThreadId thread) override;
  std::uint64_t address(gdbstub::ThreadId thread, std::uint64_t offset,
                        std::uint64_t link_map) override;

 private:
  const ViewMoment& moment_;
};

/// Refuses every change with the reason.
class ViewWriting : public gdbstub::Writing {
 public:
  explicit ViewWriting(const ViewMoment& moment) : moment_(moment) {}
  void write_memory(std::int32_t pid, std::uint64_t address,
                    std::span<const std::byte> bytes) override;
  void write_registers(gdbstub::ThreadId thread, const gdbstub::RegisterValues& values) override;

 private:
  [[noreturn]] void refuse() const;
  const ViewMoment& moment_;
};

/// `attach PID` in an extended-remote gdb: the processes of the snapshot's tree.
class ViewAttaching : public gdbstub::Attaching {
 public:
  ViewAttaching(const ViewMoment& moment, ViewTravel& travel) : moment_(moment), travel_(travel) {}
  gdbstub::StopEvent attach(std::int32_t pid) override;

 private:
  const ViewMoment& moment_;
  ViewTravel& travel_;
};

}  // namespace icecore::snapshot
