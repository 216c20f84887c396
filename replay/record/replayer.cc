// SPDX-License-Identifier: Apache-2.0
#include "replay/record/replayer.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "replay/record/seen_registers.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/signal_code.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::await_stop;
using snapshot::registers_of;
using snapshot::set_registers;
using snapshot::throw_gone;

namespace {

constexpr int kSyscallStop = SIGTRAP | 0x80;
constexpr std::byte kInt3{0xcc};

bool is_syscall_stop(int status) { return status >> 8 == kSyscallStop; }
bool is_event(int status) { return status >> 16 != 0; }

}  // namespace

ReplayDiverged::ReplayDiverged(std::uint64_t event, const std::string& what)
    : Error("the past cannot be reached: the replayed process went another way at event " +
            std::to_string(event) + ": " + what) {}

Replayer::Replayer(std::unique_ptr<ProcessCopy> process, const EventLog& log,
                   std::uint64_t next_event, std::uint64_t syscall_instruction)
    : process_(std::move(process)),
      log_(log),
      next_event_(next_event),
      syscall_instruction_(syscall_instruction) {}

user_regs_struct Replayer::registers() const { return as_seen(registers_of(pid())); }

std::unique_ptr<ProcessCopy> Replayer::copy() const {
  return copy_process(pid(), syscall_instruction_);
}

void Replayer::diverged(const std::string& what) const { throw ReplayDiverged(next_event_, what); }

Arrival Replayer::run(const StopSet& wanted) {
  StopSet stops = wanted;
  const std::uint64_t anywhere = log_.next_anywhere(next_event_);
  if (anywhere != log_.end()) stops.event_limit = std::min(stops.event_limit, anywhere);
  watches_.arm(pid(), memory(), stops.watches);
  if (next_event_ >= stops.event_limit) return {Arrival::Kind::EventLimit, {}};
  if (stops.breakpoints.contains(registers().rip)) {
    const Arrival first = step(stops.watches);
    if (first.kind != Arrival::Kind::Stepped) return first;
    if (next_event_ >= stops.event_limit) return {Arrival::Kind::EventLimit, {}};
    if (stops.breakpoints.contains(registers().rip)) return {Arrival::Kind::Breakpoint, {}};
  }
  try {
    const Arrival arrival = run_on(stops);
    remove_breakpoints();
    leave_call_stop();
    return arrival;
  } catch (...) {
    remove_breakpoints();
    throw;
  }
}

Arrival Replayer::run_on(const StopSet& stops) {
  for (;;) {
    while (take_due_interruption()) {
      if (next_event_ >= stops.event_limit) return {Arrival::Kind::EventLimit, {}};
      if (stops.breakpoints.contains(registers().rip)) return {Arrival::Kind::Breakpoint, {}};
    }
    insert_breakpoints(stops);
    in_call_stop_ = false;
    if (!ptrace_call::resume_emulating(pid())) throw_gone(pid());
    const auto arrival = take_stop(await_stop(pid()), stops);
    if (arrival) return *arrival;
    if (const auto change = watched_change()) return *change;
    if (next_event_ >= stops.event_limit) return {Arrival::Kind::EventLimit, {}};
    if (stops.breakpoints.contains(registers_of(pid()).rip)) {
      return {Arrival::Kind::Breakpoint, {}};
    }
  }
}

std::optional<Arrival> Replayer::take_stop(int status, const StopSet& stops) {
  if (is_event(status)) return std::nullopt;
  if (is_syscall_stop(status)) return take_call();
  const int signal = WSTOPSIG(status);
  if (signal == SIGTRAP) return take_trap(stops);
  if (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL) {
    return take_fault(signal);
  }
  return std::nullopt;  // sent by somebody to all of a process group: not part of the past
}

std::optional<Arrival> Replayer::watched_change() {
  const auto hit = watches_.take_hit(pid(), memory());
  if (!hit) return std::nullopt;
  return Arrival{Arrival::Kind::Watchpoint, *hit};
}

std::optional<Arrival> Replayer::take_trap(const StopSet& stops) {
  user_regs_struct registers = registers_of(pid());
  const auto place = registers.rip - 1;
  const int code = snapshot::signal_code(ptrace_call::siginfo(pid()));
  if (code != SI_KERNEL || !inserted_.contains(place)) {
    // By a watch register, or an int3 of the program's own.
    return code == SI_KERNEL ? take_fault(SIGTRAP) : std::nullopt;
  }
  registers.rip = place;
  registers.orig_rax = ~0ULL;
  set_registers(pid(), registers);
  if (stops.breakpoints.contains(place)) return Arrival{Arrival::Kind::Breakpoint, {}};
  return std::nullopt;
}

std::optional<Arrival> Replayer::take_fault(int signal) {
  const Event* event = log_.find(next_event_);
  if (event == nullptr) return Arrival{Arrival::Kind::LogEnd, {}};
  if (const auto* read = std::get_if<TimestampRead>(event)) {
    if (read->address != registers_of(pid()).rip) diverged("the time stamp is read elsewhere");
    apply(*read);
  } else if (const auto* taken = std::get_if<Interruption>(event);
             taken != nullptr && taken->signal == signal) {
    apply(*taken);
  } else {
    diverged("signal " + std::to_string(signal) + " where there was none, at " +
             std::to_string(registers_of(pid()).rip));
  }
  ++next_event_;
  return std::nullopt;
}

void Replayer::leave_call_stop() {
  if (!std::exchange(in_call_stop_, false)) return;
  if (!ptrace_call::interrupt(pid()) || !ptrace_call::resume(pid(), 0)) throw_gone(pid());
  await_stop(pid());
}

std::optional<Arrival> Replayer::take_call() {
  in_call_stop_ = true;
  const Event* event = log_.find(next_event_);
  if (event == nullptr) {
    user_regs_struct registers = registers_of(pid());
    registers.rip -= 2;
    registers.rax = registers.orig_rax;
    registers.orig_rax = ~0ULL;
    set_registers(pid(), registers);
    return Arrival{Arrival::Kind::LogEnd, {}};
  }
  if (std::holds_alternative<TimestampRead>(*event)) diverged("a call instead of the time stamp");
  const auto* taken = std::get_if<Interruption>(event);
  if (taken != nullptr && taken->place != Interruption::Place::InCall) {
    diverged("a call in front of signal " + std::to_string(taken->signal));
  }
  std::visit([this](const auto& known) { apply(known); }, *event);
  ++next_event_;
  return std::nullopt;
}

Arrival Replayer::step(const std::vector<WatchedMemory>& watches) {
  watches_.arm(pid(), memory(), watches);
  if (take_due_interruption()) return {Arrival::Kind::Stepped, {}};
  for (;;) {
    std::array<std::byte, 2> code{};
    const std::uint64_t pc = registers_of(pid()).rip;
    memory().read_some(pc, code);
    if (!ptrace_call::step_emulating(pid())) throw_gone(pid());
    const int status = await_stop(pid());
    if (is_event(status)) continue;
    const int signal = WSTOPSIG(status);
    std::optional<Arrival> arrival;
    if (is_syscall_stop(status)) {
      arrival = take_call();
      leave_call_stop();
    } else if (signal == SIGTRAP) {
      constexpr std::byte kPushf{0x9c};
      if (code[0] == kPushf || code[1] == kPushf) hide_trap_flag(pc, code[0] == kPushf);
    } else if (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL) {
      arrival = take_fault(signal);
    } else {
      continue;
    }
    if (!arrival) arrival = watched_change();
    return arrival.value_or(Arrival{Arrival::Kind::Stepped, {}});
  }
}

void Replayer::hide_trap_flag(std::uint64_t pc, bool short_form) const {
  const user_regs_struct after = registers_of(pid());
  if (after.rip != pc + (short_form ? 1 : 2)) return;
  std::byte high{};
  memory().read(after.rsp + 1, std::span(&high, 1));
  high &= std::byte{0xfe};
  memory().write(after.rsp + 1, std::span(&high, 1));
}

bool Replayer::take_due_interruption() {
  const Interruption* taken = log_.interruption(next_event_);
  if (taken == nullptr || taken->place != Interruption::Place::BehindEvent) return false;
  remove_breakpoints();
  apply(*taken);
  ++next_event_;
  return true;
}

void Replayer::interrupt() {
  apply(*log_.interruption(next_event_));
  ++next_event_;
}

void Replayer::insert_breakpoints(const StopSet& stops) {
  for (const auto place : stops.breakpoints) {
    if (inserted_.contains(place)) continue;
    std::byte original{};
    if (memory().read_some(place, std::span(&original, 1)) == 0) continue;
    memory().write(place, std::span(&kInt3, 1));
    inserted_.emplace(place, original);
  }
}

void Replayer::remove_breakpoints() {
  for (const auto& [place, original] : inserted_) {
    memory().write(place, std::span(&original, 1));
  }
  inserted_.clear();
}

}  // namespace icecore::replay
