// SPDX-License-Identifier: Apache-2.0
#include "replay/record/event_recorder.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/error.h"
#include "replay/record/memory_difference.h"
#include "replay/record/seen_registers.h"
#include "replay/record/syscall_rules.h"
#include "snapshot/tracing/injected_call.h"
#include "snapshot/tracing/signal_code.h"
#include "snapshot/tracing/stopped_thread.h"
#include "snapshot/tracing/syscall_instruction.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::await_stop;
using snapshot::inject_call;
using snapshot::registers_of;
using snapshot::set_registers;
using snapshot::throw_gone;
using snapshot::xstate_of;

namespace {

/// What a file mapping may hold, and what may be compared after one call.
constexpr std::uint64_t kMostContent = 256ULL << 20U;

RecordedCall call_at(const user_regs_struct& registers) {
  return {static_cast<std::int64_t>(registers.orig_rax),
          {registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9},
          registers.rip,
          0,
          {}};
}

/// ERESTARTSYS to ERESTART_RESTARTBLOCK: the call has not come back, whatever follows.
bool is_cut_short(std::int64_t result) {
  return result <= -512 && result >= -516 && result != -515;
}

bool maps_file(const RecordedCall& call) {
  return call.number == SYS_mmap && (call.arguments[3] & MAP_ANONYMOUS) == 0;
}

std::string read_upto(const TracedMemory& memory, std::uint64_t address, std::uint64_t size) {
  std::string bytes(size, '\0');
  bytes.resize(memory.read_some(address, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

void trap_timestamps(int pid, std::uint64_t instruction, int mode) {
  inject_call(pid, instruction, SYS_prctl,
              {PR_SET_TSC, static_cast<std::uint64_t>(mode), 0, 0, 0, 0});
}

/// Does the instruction that reads the time stamp counter, if thread `tid` is stopped at one.
std::optional<TimestampRead> read_timestamp_for(int tid) {
  user_regs_struct registers = registers_of(tid);
  const std::string code = read_upto(TracedMemory(tid), registers.rip, 3);
  const bool with_aux = code == "\x0f\x01\xf9";
  if (!with_aux && code.compare(0, 2, "\x0f\x31") != 0) return std::nullopt;
  TimestampRead read{registers.rip, 0, 0};
  read.value = __rdtscp(&read.aux);
  registers.rax = read.value & 0xffffffffU;
  registers.rdx = read.value >> 32U;
  if (with_aux) registers.rcx = read.aux;
  registers.rip += with_aux ? 3 : 2;
  registers.orig_rax = ~0ULL;
  set_registers(tid, registers);
  return read;
}

}  // namespace

EventRecorder::EventRecorder(int pid, EventLog& log, TimeStamps stamps)
    : pid_(pid),
      log_(log),
      memory_(pid),
      vdso_(pid),
      binding_(pid),
      stamps_(stamps),
      syscall_instruction_(snapshot::find_syscall_instruction(pid)) {
  if (vdso_.covers(registers_of(pid).rip)) {
    throw Error("process " + std::to_string(pid) + " is reading the clock: recording cannot begin");
  }
  ::sched_getaffinity(pid, sizeof cpus_, &cpus_);
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
  ::sched_setaffinity(pid, sizeof here, &here);
  vdso_.apply(memory_);
  binding_.apply(memory_);
  if (stamps_ == TimeStamps::Seen) set_timestamp_trap(pid_, PR_TSC_SIGSEGV);
}

void EventRecorder::end() {
  if (stamps_ == TimeStamps::Seen) set_timestamp_trap(pid_, PR_TSC_ENABLE);
  vdso_.take_back(memory_);
  if (!binding_.covers(registers_of(pid_).rip)) binding_.take_back(memory_);
  ::sched_setaffinity(pid_, sizeof cpus_, &cpus_);
}

void EventRecorder::free_child(int child) const {
  if (stamps_ == TimeStamps::Seen) set_timestamp_trap(child, PR_TSC_ENABLE);
  ::sched_setaffinity(child, sizeof cpus_, &cpus_);
}

void EventRecorder::set_timestamp_trap(int pid, int mode) const {
  trap_timestamps(pid, syscall_instruction_, mode);
}

void EventRecorder::end_timestamp_trap(int pid) {
  trap_timestamps(pid, snapshot::find_syscall_instruction(pid), PR_TSC_ENABLE);
}

std::optional<std::string> EventRecorder::take_gap() { return std::exchange(gap_, std::nullopt); }

void EventRecorder::call_entered() {
  const RecordedCall call = call_at(registers_of(pid_));
  behind_event_.reset();
  // A call that was cut short goes on: to the program it is still the same one.
  if (call.number == SYS_restart_syscall && entered_) return;
  entered_ = call;
  const Treatment treatment = row_of(call, memory_).treatment;
  before_call_.reset();
  if (treatment == Treatment::Ends) {
    gap_ = "the program calls " + syscall_name(call.number);
  } else if (treatment == Treatment::Compared) {
    if (writable_size(pid_) > kMostContent) {
      gap_ = "the program calls " + syscall_name(call.number) +
             ", whose results are not known, with more memory than can be compared";
    } else {
      before_call_ = copy_process_at_entry(pid_);
    }
  }
}

void EventRecorder::call_returned() {
  if (!entered_) return;
  const user_regs_struct after = registers_of(pid_);
  const auto result = static_cast<std::int64_t>(after.rax);
  if (is_cut_short(result) && entered_->number != SYS_rt_sigreturn) return;
  RecordedCall call = *std::exchange(entered_, std::nullopt);
  call.result = result;
  const SyscallRow row = row_of(call, memory_);
  keep(std::move(call), row, after);
  behind_event_ = as_seen(after);
}

void EventRecorder::keep(RecordedCall call, const SyscallRow& row, const user_regs_struct& after) {
  switch (row.treatment) {
    case Treatment::Outputs:
      call.writes = outputs_of(row, call, memory_);
      log_.append(std::move(call));
      return;
    case Treatment::Layout: {
      LayoutCall kept{std::move(call), {}};
      if (maps_file(kept.call) && kept.call.result >= 0) {
        if (kept.call.arguments[1] > kMostContent) gap_ = "the program maps a file of much memory";
        const auto size = std::min(kept.call.arguments[1], kMostContent);
        kept.content = read_upto(memory_, static_cast<std::uint64_t>(kept.call.result), size);
        kept.content.resize(kept.content.find_last_not_of('\0') + 1);
      }
      log_.append(std::move(kept));
      return;
    }
    case Treatment::SignalReturn:
      log_.append(SignalReturn{call.next, as_seen(after), xstate_of(pid_)});
      return;
    case Treatment::Compared:
      return keep_compared(std::move(call));
    case Treatment::Ends:
    case Treatment::Irregular:
      gap_ = "the program calls " + syscall_name(call.number);
      return;
  }
}

void EventRecorder::keep_compared(RecordedCall call) {
  const auto before = std::exchange(before_call_, nullptr);
  if (!before) return;  // the entry has told of a gap
  const std::uint64_t stack = registers_of(pid_).rsp;
  call.writes = changed_memory({before->pid(), before->memory(), stack}, {pid_, memory_, stack});
  log_.append(std::move(call));
}

void EventRecorder::begin_anew() {
  entered_.reset();
  before_call_.reset();
  behind_event_.reset();
  gap_.reset();
}

bool EventRecorder::timestamp_read(int tid) {
  const auto read = read_timestamp_for(tid);
  if (!read) return false;
  log_.append(*read);
  behind_event_ = registers_of(tid);
  return true;
}

bool EventRecorder::skip_timestamp_read(int tid) { return read_timestamp_for(tid).has_value(); }

bool EventRecorder::handles(int signal) const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigCgt:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1U) != 0;
  }
  return false;
}

/// As far as it is known in front of it.
Interruption EventRecorder::interruption(const user_regs_struct& registers) const {
  Interruption taken;
  taken.before = as_seen(registers);
  if (entered_) {
    taken.place = Interruption::Place::InCall;
    // At its entry, it is still to be made.
    if (!is_cut_short(static_cast<std::int64_t>(registers.rax))) {
      taken.before.rip -= 2;
      taken.before.rax = registers.orig_rax;
    }
  } else if (behind_event_ && equal_registers(*behind_event_, taken.before)) {
    taken.place = Interruption::Place::BehindEvent;
  }
  return taken;
}

bool EventRecorder::comes_anywhere(int signal) const {
  return handles(signal) && interruption(registers_of(pid_)).place == Interruption::Place::Anywhere;
}

bool EventRecorder::deliver(int signal) {
  if (!handles(signal)) return false;
  const auto siginfo = ptrace_call::siginfo(pid_);
  const user_regs_struct before = registers_of(pid_);
  Interruption taken = interruption(before);
  taken.signal = signal;
  const int code = snapshot::signal_code(siginfo);
  const bool fault = code > 0 && code < 0x80 &&
                     (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE ||
                      signal == SIGILL || signal == SIGTRAP);
  if (taken.place == Interruption::Place::InCall) entered_.reset();
  if (taken.place == Interruption::Place::Anywhere) {
    if (fault)
      taken.place = Interruption::Place::AtFault;
    else
      taken.xstate_before = xstate_of(pid_);
  }
  // The kernel writes the frame and stops in front of the handler's first instruction.
  if (!ptrace_call::step(pid_, signal)) throw_gone(pid_);
  await_stop(pid_);
  taken.after = registers_of(pid_);
  taken.after.orig_rax = ~0ULL;
  taken.xstate = xstate_of(pid_);
  constexpr std::uint64_t kMostFrame = 16384;
  const std::uint64_t depth = before.rsp - taken.after.rsp;
  taken.writes.push_back(
      {taken.after.rsp, read_upto(memory_, taken.after.rsp, std::min(depth, kMostFrame))});
  behind_event_ = taken.after;
  log_.append(std::move(taken));
  return true;
}

void EventRecorder::memory_changes(MemoryWrite write) {
  Interruption taken = interruption(registers_of(pid_));
  taken.after = taken.before;
  taken.xstate = xstate_of(pid_);
  if (taken.place == Interruption::Place::Anywhere) taken.xstate_before = taken.xstate;
  taken.writes.push_back(std::move(write));
  if (taken.place != Interruption::Place::InCall) behind_event_ = taken.after;
  log_.append(std::move(taken));
}

void EventRecorder::registers_changed(const user_regs_struct& before, std::string xstate_before) {
  Interruption taken = interruption(before);
  taken.after = as_seen(registers_of(pid_));
  taken.xstate = xstate_of(pid_);
  taken.xstate_before = std::move(xstate_before);
  behind_event_ = taken.after;
  log_.append(std::move(taken));
}

}  // namespace icecore::replay
