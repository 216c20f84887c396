// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gdbstub/target/register_layout.h"
#include "gdbstub/target/writing.h"
#include "replay/live/live_tree.h"
#include "snapshot/register_codec.h"

namespace icecore::replay {

/// Registers and memory of living processes.
class LiveState : public gdbstub::Writing {
 public:
  explicit LiveState(LiveTree& tree);

  [[nodiscard]] const gdbstub::RegisterLayout& layout() const { return codec_.layout(); }
  [[nodiscard]] gdbstub::RegisterValues read_registers(gdbstub::ThreadId id);
  std::size_t read_memory(std::int32_t pid, std::uint64_t address, std::span<std::byte> out);

  void write_memory(std::int32_t pid, std::uint64_t address,
                    std::span<const std::byte> bytes) override;
  void write_registers(gdbstub::ThreadId id, const gdbstub::RegisterValues& values) override;

 private:
  [[nodiscard]] snapshot::RegisterImages images(LiveThread& thread);
  LiveTree& tree_;
  snapshot::RegisterCodec codec_;
};

}  // namespace icecore::replay
