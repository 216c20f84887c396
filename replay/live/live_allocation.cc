// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_allocation.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <string>
#include <utility>

#include "base/error.h"
#include "replay/live/held_signal.h"
#include "snapshot/tracing/injected_call.h"
#include "snapshot/tracing/syscall_instruction.h"

namespace icecore::replay {
namespace {

LiveThread& some_stopped_thread(LiveProcess& process) {
  for (auto& [tid, thread] : process.threads) {
    if (thread.state == LiveThread::State::Stopped) return thread;
  }
  throw Error("no thread of process " + std::to_string(process.pid) + " stands still");
}

}  // namespace

std::int64_t LiveAllocation::call(std::int32_t pid, std::int64_t number,
                                  const std::array<std::uint64_t, 6>& arguments) {
  LiveThread& thread = some_stopped_thread(tree_.process(pid));
  auto held = take_signal(thread);
  const auto done = snapshot::inject_call(thread.id.tid, snapshot::find_syscall_instruction(pid),
                                          number, arguments);
  if (held) send_again(thread, *std::move(held));
  return done.result;
}

std::uint64_t LiveAllocation::allocate(std::int32_t pid,
                                       const gdbstub::AllocationRequest& request) {
  const auto protection = static_cast<std::uint64_t>((request.readable ? PROT_READ : 0) |
                                                     (request.writable ? PROT_WRITE : 0) |
                                                     (request.executable ? PROT_EXEC : 0));
  constexpr std::uint64_t kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
  const std::int64_t result = call(pid, SYS_mmap, {0, request.size, protection, kFlags, ~0ULL, 0});
  if (result < 0) {
    throw_errno("map " + std::to_string(request.size) + " bytes in process " + std::to_string(pid),
                static_cast<int>(-result));
  }
  const auto address = static_cast<std::uint64_t>(result);
  sizes_[{pid, address}] = request.size;
  return address;
}

void LiveAllocation::release(std::int32_t pid, std::uint64_t address) {
  const auto known = sizes_.find({pid, address});
  if (known == sizes_.end()) throw Error("nothing was allocated at that address");
  const std::int64_t result = call(pid, SYS_munmap, {address, known->second, 0, 0, 0, 0});
  sizes_.erase(known);
  if (result < 0) throw_errno("munmap", static_cast<int>(-result));
}

}  // namespace icecore::replay
