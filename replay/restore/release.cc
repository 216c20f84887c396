// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/release.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "base/error.h"
#include "replay/restore/address_map.h"
#include "replay/restore/mapping_plan.h"
#include "replay/restore/seccomp.h"
#include "replay/restore/signal_state.h"
#include "replay/restore/thread_builder.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

std::uint64_t find_in(const RestoredProcess& process, const model::Mapping& mapping) {
  std::vector<std::byte> bytes(
      std::min<std::uint64_t>(mapping.end() - mapping.start(), std::uint64_t{1} << 20U));
  process.puppet.read(mapping.start(), bytes);
  constexpr std::array kSyscall{std::byte{0x0f}, std::byte{0x05}};
  const auto found = std::ranges::search(bytes, kSyscall);
  if (found.empty()) return 0;
  return mapping.start() + static_cast<std::uint64_t>(found.begin() - bytes.begin());
}

/// A `syscall` instruction in the process's own memory, by preference in the vdso, where it is at
/// the same place in all processes.
std::uint64_t find_syscall(const RestoredProcess& process) {
  static std::uint64_t offset_in_vdso = 0;
  for (const auto& mapping : process.model->mappings()) {
    if (mapping.name() != "[vdso]") continue;
    if (offset_in_vdso != 0) return mapping.start() + offset_in_vdso;
    const std::uint64_t found = find_in(process, mapping);
    if (found == 0) break;
    offset_in_vdso = found - mapping.start();
    return found;
  }
  for (const auto& mapping : process.model->mappings()) {
    if (!mapping.executable() || !mapping.readable() || is_kernel_owned(mapping)) continue;
    if (const auto found = find_in(process, mapping)) return found;
  }
  throw Error("there is no system call instruction in the whole process");
}

const model::Thread& thread_of(const RestoredProcess& process, int tid) {
  const auto& threads = process.model->threads();
  return *std::ranges::find(threads, tid, &model::Thread::tid);
}

}  // namespace

void set_registers(RestoredProcess& process) {
  std::map<int, std::string> registers;  // by our tid
  for (const auto& [tid, own] : process.threads) {
    registers[own] = resume_limited_call(process, thread_of(process, tid), own);
  }
  // Any living thread can take the area away; the others do not run before they are released.
  const int driver = process.threads.begin()->second;
  const std::uint64_t instruction = find_syscall(process);
  set_trap_action(process, driver, instruction, process.puppet.scratch());
  process.puppet.call_at(driver, instruction,
                         {SYS_munmap, {process.puppet.area(), Puppet::kAreaSize}, 0});
  for (const auto& [tid, own] : process.threads) {
    const auto& thread = thread_of(process, tid);
    user_regs_struct wanted{};
    std::memcpy(&wanted, registers[own].data(), std::min(sizeof wanted, registers[own].size()));
    ptrace_call::set_registers(own, wanted);
    if (!thread.xstate().empty()) ptrace_call::set_xstate(own, thread.xstate());
    ptrace_call::set_signal_mask(own, thread.signal_mask());
  }
}

TracedLife keep_traced(RestoredProcess& process, int stop_signal) {
  resume_seccomp(process);
  TracedLife life{process.puppet.pid(), process.model->pid(), {}};
  if (stop_signal != 0) ::kill(life.pid, stop_signal);
  for (const auto& [tid, own] : process.threads) life.tids.push_back(own);
  return life;
}

void release(RestoredProcess& process, int stop_signal) {
  if (stop_signal != 0) ::kill(process.puppet.pid(), stop_signal);
  for (const auto& [tid, own] : process.threads) ptrace_call::detach(own, 0);
}

}  // namespace icecore::replay
