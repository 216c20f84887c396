// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/puppet.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "snapshot/tracing/call_table.h"
#include "snapshot/tracing/injected_call.h"
#include "snapshot/tracing/process_memory.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::await_stop;
using snapshot::registers_of;
using snapshot::set_registers;
using snapshot::throw_gone;

namespace {

constexpr std::uint64_t kTable = 4096;
constexpr std::size_t kResult = 56;
static_assert(Puppet::kRows * snapshot::kCallRowSize <= 65536);
static_assert(Puppet::kSyscallOffset == snapshot::kCallLoopSyscall);

// After the calls it stops: int3.
constexpr auto kWalker = snapshot::call_walker(std::array<unsigned char, 1>{0xcc});

/// Registers with which `instruction`, a `syscall`, is the call.
user_regs_struct before_call(int tid, std::uint64_t instruction, const RemoteCall& call) {
  user_regs_struct registers = registers_of(tid);
  registers.orig_rax = ~0ULL;
  registers.rip = instruction;
  snapshot::set_call(registers, call.number, call.arguments);
  return registers;
}

/// A new child or thread reports PTRACE_EVENT_* to its parent before the call returns.
bool is_event(int status) { return status >> 16 != 0; }

}  // namespace

void Puppet::move_in(std::uint64_t address, std::uint64_t instruction) {
  const RemoteCall map{SYS_mmap,
                       {address, kAreaSize, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, ~0ULL, 0},
                       0};
  const std::int64_t result = call_at(pid_, instruction, map);
  if (result < 0) throw_errno("mapping the work area", static_cast<int>(-result));
  area_ = address;
  write(area_, std::as_bytes(std::span(kWalker)));
}

/// Puts the table into the area and the thread in front of it.
std::vector<std::uint64_t> Puppet::lay_out(int tid, std::span<const RemoteCall> calls) const {
  auto rows = snapshot::call_rows(calls, -ENOSYS);
  write(area_ + kTable, std::as_bytes(std::span(rows)));
  user_regs_struct registers = registers_of(tid);
  registers.orig_rax = ~0ULL;
  registers.rip = area_;
  registers.rbx = area_ + kTable;
  registers.r12 = calls.size();
  set_registers(tid, registers);
  return rows;
}

void Puppet::begin_call(const RemoteCall& call) { lay_out(pid_, std::span(&call, 1)); }

std::vector<int> Puppet::run(int tid, std::span<RemoteCall> calls) {
  std::vector<int> born;
  if (calls.empty()) return born;
  auto rows = lay_out(tid, calls);
  for (;;) {
    if (!ptrace_call::resume(tid, 0)) throw_gone(tid);
    if (!is_event(await_stop(tid))) break;
    const auto child = ptrace_call::event_message(tid);
    if (!child) throw_gone(tid);
    born.push_back(static_cast<int>(*child));
  }
  if (registers_of(tid).rip != area_ + kWalker.size()) {
    throw Error("thread " + std::to_string(tid) + " stopped outside of the walker");
  }
  if (calls.size() == 1) {
    std::int64_t result = 0;
    read(area_ + kTable + kResult, std::as_writable_bytes(std::span(&result, 1)));
    calls[0].result = result;
    return born;
  }
  read(area_ + kTable, std::as_writable_bytes(std::span(rows)));
  snapshot::take_results(rows, calls);
  return born;
}

std::int64_t Puppet::call(std::int64_t number, std::array<std::uint64_t, 6> arguments) {
  std::array calls{RemoteCall{number, arguments, -ENOSYS}};
  run(pid_, calls);
  return calls[0].result;
}

std::int64_t Puppet::call_at(int tid, std::uint64_t instruction, const RemoteCall& call) {
  return snapshot::inject_call(tid, instruction, call.number, call.arguments).result;
}

std::int64_t Puppet::begin_and_interrupt(int tid, const RemoteCall& call) {
  set_registers(tid, before_call(tid, area_ + kSyscallOffset, call));
  do {
    if (!ptrace_call::resume_to_syscall(tid, 0)) throw_gone(tid);
    await_stop(tid);
  } while (ptrace_call::syscall_side(tid) != ptrace_call::SyscallSide::Entry);
  // Inside already: it meets the interruption where it would go to sleep.
  if (!ptrace_call::interrupt(tid) || !ptrace_call::resume(tid, 0)) throw_gone(tid);
  await_stop(tid);
  return static_cast<std::int64_t>(registers_of(tid).rax);
}

void Puppet::read(std::uint64_t address, std::span<std::byte> out) const {
  if (!snapshot::read_process(pid_, address, out)) throw_errno("reading a puppet's memory");
}

void Puppet::write(std::uint64_t address, std::span<const std::byte> bytes) const {
  if (!snapshot::write_process(pid_, address, bytes)) throw_errno("writing a puppet's memory");
}

void CallBatch::add(std::int64_t number, const Arguments& arguments, std::string what) {
  add(RemoteCall{number, arguments, 0}, Wish{std::move(what), {}});
}

void CallBatch::add(std::int64_t number, const Arguments& arguments,
                    std::function<void(std::int64_t result)> done) {
  add(RemoteCall{number, arguments, 0}, Wish{{}, std::move(done)});
}

void CallBatch::add(const RemoteCall& call, Wish wish) {
  calls_.push_back(call);
  wishes_.push_back(std::move(wish));
  constexpr std::size_t kRoomForOne = Puppet::kScratchSize / 2;
  if (calls_.size() == Puppet::kRows || scratch_.size() > kRoomForOne) run();
}

std::uint64_t CallBatch::put(std::span<const std::byte> bytes) {
  if (scratch_.size() + bytes.size() > Puppet::kScratchSize) {
    throw Error("an argument of " + std::to_string(bytes.size()) + " bytes is too long");
  }
  const std::uint64_t address = puppet_.scratch() + scratch_.size();
  scratch_.insert(scratch_.end(), bytes.begin(), bytes.end());
  scratch_.resize((scratch_.size() + 7) / 8 * 8);
  return address;
}

std::uint64_t CallBatch::put_text(const std::string& text) {
  return put(std::as_bytes(std::span(text.c_str(), text.size() + 1)));
}

void CallBatch::run() {
  const auto calls = std::exchange(calls_, {});
  const auto wishes = std::exchange(wishes_, {});
  if (calls.empty()) return;
  if (!scratch_.empty()) puppet_.write(puppet_.scratch(), scratch_);
  scratch_.clear();
  std::vector<RemoteCall> running = calls;
  const auto born = puppet_.run(tid_, running);
  born_.insert(born_.end(), born.begin(), born.end());
  for (std::size_t i = 0; i < running.size(); ++i) {
    const std::int64_t result = running[i].result;
    if (wishes[i].done) {
      wishes[i].done(result);
    } else if (result < 0 && result > -4096) {
      throw_errno(wishes[i].what, static_cast<int>(-result));
    }
  }
}

}  // namespace icecore::replay
