// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gdbstub/target/libraries.h"
#include "gdbstub/target/memory_regions.h"
#include "gdbstub/target/process_facts.h"
#include "gdbstub/target/signal_details.h"
#include "gdbstub/target/thread_local_storage.h"
#include "replay/live/live_tree.h"
#include "snapshot/link_map.h"

namespace icecore::replay {

/// What a client asks about one process or thread, beyond registers and memory, out of /proc and
/// the program's own memory.
class LiveFacts : public gdbstub::ProcessFacts,
                  public gdbstub::Libraries,
                  public gdbstub::MemoryRegions,
                  public gdbstub::SignalDetails,
                  public gdbstub::ThreadLocalStorage {
 public:
  explicit LiveFacts(LiveTree& tree) : tree_(tree) {}

  std::string executable(std::int32_t pid) override;
  std::vector<std::byte> auxiliary_vector(std::int32_t pid) override;
  std::int32_t parent(std::int32_t pid) override;
  [[nodiscard]] Origin origin(std::int32_t pid) override;
  std::string host_name() override;
  std::string kernel_release() override;

  gdbstub::LibraryList libraries(std::int32_t pid) override;
  std::optional<std::uint64_t> debug_pointer(std::int32_t pid) override;
  std::vector<gdbstub::MemoryRegion> regions(std::int32_t pid) override;

  std::vector<std::byte> siginfo(gdbstub::ThreadId thread) override;
  [[nodiscard]] bool is_writable() const override { return true; }
  void write_siginfo(gdbstub::ThreadId thread, std::span<const std::byte> bytes) override;
  std::uint64_t address(gdbstub::ThreadId thread, std::uint64_t offset,
                        std::uint64_t link_map) override;

 private:
  [[nodiscard]] snapshot::LinkMap link_map(std::int32_t pid);
  LiveTree& tree_;
};

}  // namespace icecore::replay
