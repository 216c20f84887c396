// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_process.h"

#include <sys/user.h>

#include <cstring>

#include "base/error.h"
#include "snapshot/link_map.h"
#include "snapshot/thread_local_block.h"

namespace icecore::snapshot {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

std::uint64_t thread_pointer(const model::Thread& thread) {
  std::uint64_t value = 0;
  constexpr std::size_t kOffset = offsetof(user_regs_struct, fs_base);
  if (thread.registers().size() < kOffset + sizeof value) {
    throw Error("the registers of thread " + std::to_string(thread.tid()) + " are not held");
  }
  std::memcpy(&value, thread.registers().data() + kOffset, sizeof value);
  return value;
}

}  // namespace

std::string ViewProcess::executable(std::int32_t pid) { return moment_.process(pid).executable(); }

std::vector<std::byte> ViewProcess::auxiliary_vector(std::int32_t pid) {
  return bytes_of(moment_.process(pid).auxv());
}

std::int32_t ViewProcess::parent(std::int32_t pid) { return moment_.process(pid).parent_pid(); }

std::string ViewProcess::host_name() { return moment_.model().machine().hostname(); }

std::string ViewProcess::kernel_release() { return moment_.model().machine().kernel_release(); }

gdbstub::LibraryList ViewProcess::libraries(std::int32_t pid) {
  return LinkMap(moment_.snapshot(), moment_.process(pid)).libraries();
}

std::optional<std::uint64_t> ViewProcess::debug_pointer(std::int32_t pid) {
  return LinkMap(moment_.snapshot(), moment_.process(pid)).debug_pointer();
}

std::vector<gdbstub::MemoryRegion> ViewProcess::regions(std::int32_t pid) {
  std::vector<gdbstub::MemoryRegion> regions;
  for (const model::Mapping& mapping : moment_.process(pid).mappings()) {
    regions.push_back({mapping.start(), mapping.end(), mapping.readable(), mapping.writable(),
                       mapping.executable(), mapping.name()});
  }
  return regions;
}

std::vector<std::byte> ViewProcess::siginfo(gdbstub::ThreadId id) {
  const std::string& siginfo = moment_.thread(id).stop_siginfo();
  if (siginfo.empty()) throw Error("no signal was about to be delivered to this thread");
  return bytes_of(siginfo);
}

std::uint64_t ViewProcess::address(gdbstub::ThreadId id, std::uint64_t offset,
                                   std::uint64_t link_map) {
  const std::uint64_t pointer = thread_pointer(moment_.thread(id));
  return thread_local_address(LinkMap(moment_.snapshot(), moment_.process(id.pid)), pointer, offset,
                              link_map);
}

void ViewWriting::refuse() const {
  throw Error(moment_.snapshot().key().text() + " is a read-only view: nothing can be changed");
}

void ViewWriting::write_memory(std::int32_t, std::uint64_t, std::span<const std::byte>) {
  refuse();
}

void ViewWriting::write_registers(gdbstub::ThreadId, const gdbstub::RegisterValues&) { refuse(); }

gdbstub::StopEvent ViewAttaching::attach(std::int32_t pid) {
  const model::Process& process = moment_.process(pid);
  travel_.set_current_thread(moment_.nearest_thread({process.pid(), process.pid()}));
  return travel_.current_stop();
}

}  // namespace icecore::snapshot
