// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_state.h"

#include <cstring>

#include "snapshot/capture/machine.h"

namespace icecore::replay {
namespace {

model::Machine this_machine() {
  model::Machine machine;
  snapshot::capture_machine(machine);
  return machine;
}

/// Results with which the kernel would start an interrupted call again, two bytes before rip
/// (include/linux/errno.h).
bool would_restart(const user_regs_struct& registers) {
  const auto result = static_cast<std::int64_t>(registers.rax);
  return static_cast<std::int64_t>(registers.orig_rax) >= 0 && result <= -512 && result >= -516;
}

}  // namespace

LiveState::LiveState(LiveTree& tree) : tree_(tree), codec_(this_machine()) {}

snapshot::RegisterImages LiveState::images(LiveThread& thread) {
  const user_regs_struct& general = tree_.registers(thread);
  snapshot::RegisterImages images;
  images.general.assign(reinterpret_cast<const char*>(&general), sizeof general);
  images.xstate = tree_.xstate(thread);
  return images;
}

gdbstub::RegisterValues LiveState::read_registers(gdbstub::ThreadId id) {
  LiveThread& thread = tree_.thread(id);
  // Nothing is known of one that waits for its vfork child.
  if (thread.state == LiveThread::State::Suspended) {
    return gdbstub::RegisterValues(codec_.layout());
  }
  return codec_.decode(images(tree_.stopped_thread(id)));
}

std::size_t LiveState::read_memory(std::int32_t pid, std::uint64_t address,
                                   std::span<std::byte> out) {
  return tree_.process(pid).memory->read(address, out);
}

void LiveState::write_memory(std::int32_t pid, std::uint64_t address,
                             std::span<const std::byte> bytes) {
  tree_.process(pid).memory->write(address, bytes);
}

void LiveState::write_registers(gdbstub::ThreadId id, const gdbstub::RegisterValues& values) {
  LiveThread& thread = tree_.stopped_thread(id);
  snapshot::RegisterImages now = images(thread);
  const auto changed = codec_.encode(values, now);
  if (changed.general) {
    const user_regs_struct before = tree_.registers(thread);
    user_regs_struct after{};
    std::memcpy(&after, now.general.data(), sizeof after);
    // Sent elsewhere in the middle of a call: the kernel must not start the call again there.
    const bool moved = after.rip != before.rip && after.orig_rax == before.orig_rax;
    if (moved && would_restart(after)) after.orig_rax = ~0ULL;
    tree_.set_registers(thread, after);
  }
  if (changed.xstate) tree_.set_xstate(thread, now.xstate);
}

}  // namespace icecore::replay
