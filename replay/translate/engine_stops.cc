// SPDX-License-Identifier: Apache-2.0
// What the engine makes of each stop: the other half of engine.cc.
#include <signal.h>

#include <array>
#include <cstring>
#include <span>

#include "base/check.h"
#include "base/error.h"
#include "replay/translate/engine.h"

namespace icecore::replay {
namespace {

std::string hex(std::uint64_t value) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

bool is_canonical(std::uint64_t address) {
  const auto shifted = static_cast<std::int64_t>(address << 16U);
  return static_cast<std::uint64_t>(shifted >> 16U) == address;
}

InputInstruction::Kind input_kind(const Instruction& form) {
  using Kind = InputInstruction::Kind;
  switch (form.opcode) {
    case 0x31:
      return Kind::Rdtsc;
    case 0x33:
      return Kind::Rdpmc;
    case 0xa2:
      return Kind::Cpuid;
    case 0x01:
      return Kind::Rdtscp;
    default:
      if (form.reg() == 6) return Kind::Rdrand;
      return form.repeat == 0xf3 ? Kind::Rdpid : Kind::Rdseed;
  }
}

}  // namespace

/// At an int3 in front of an instruction that is not copied, or at a place.
TranslatedRun::Engine::Step TranslatedRun::Engine::leave_at(const Exit& exit,
                                                            const ThreadStop& stop) {
  arrive(exit.pc, Arrival::Arrived);
  switch (exit.kind) {
    case ExitKind::SystemCall:
      return SystemCall{};
    case ExitKind::Input:
      return input_instruction();
    case ExitKind::Breakpoint:
      arrive(exit.pc + 1, Arrival::Arrived);
      return Fault{SIGTRAP, stop.siginfo};
    case ExitKind::Stop:
      return PlaceReached{};
    case ExitKind::Match: {
      // The visit has been recorded on the way here.
      Step outcome = matched();
      arrival_ = Arrival::Resumed;
      return outcome;
    }
    default:
      throw Refused("the instruction at " + hex(exit.pc) +
                    " (a far transfer, iret or int) cannot be run exactly");
  }
}

TranslatedRun::Engine::Step TranslatedRun::Engine::input_instruction() {
  std::array<std::uint8_t, 15> bytes{};
  const std::size_t size = cache_->program().read(point_.pc, bytes);
  const auto form = decode(std::span(bytes).first(size));
  ICECORE_CHECK(form.has_value());
  return InputInstruction{input_kind(*form), form->length};
}

TranslatedRun::Engine::Step TranslatedRun::Engine::stopped(ThreadStop stop) {
  if (stop.reason == ThreadStop::Reason::Ended) return Ended{stop.status};
  counter_.settle(cache_->memory());
  const std::uint64_t address = thread_.registers().rip;
  make_siginfo_native(stop);
  const unsigned state = make_native(address);
  if (stop.reason != ThreadStop::Reason::Watch) {
    return Fault{WSTOPSIG(stop.status), std::move(stop.siginfo)};
  }
  if ((state & Mark::kInside) != 0) {
    // A part of a transfer touched the watched bytes. It has changed nothing that the transfer does
    // not change again, so that it can be done as a whole, natively.
    const ThreadStop again = thread_.single_step();
    if (again.reason == ThreadStop::Reason::Ended) return Ended{again.status};
    counter_.add_transfer();
    arrive(thread_.registers().rip, Arrival::Arrived);
  }
  return WatchTrapped{};
}

/// Registers and point as they are natively when the thread is at `address` in the cache; returns
/// the state of its mark.
unsigned TranslatedRun::Engine::make_native(std::uint64_t address) {
  const auto origin = cache_->origin_of(address);
  if (!origin) throw Error("the thread stopped at " + hex(address) + ", where no code is known");
  user_regs_struct& registers = thread_.registers();
  const CacheLayout& layout = cache_->memory().layout();
  std::array<std::uint64_t, 4> slots{};
  cache_->memory().read(layout.rcx(), slots);
  if ((origin->state & Mark::kRcxInSlot) != 0) registers.rcx = slots[0];
  if ((origin->state & Mark::kPushed) != 0) registers.rsp += 8;
  if ((origin->state & Mark::kCounted) != 0) counter_.remove_transfer();
  arrive(origin->pc, Arrival::Arrived);
  if ((origin->state & Mark::kRepetition) != 0) {
    point_.rep_done = slots[3] - registers.rcx;
    const bool begun_there = start_.pc == point_.pc && start_.transfers == point_.transfers;
    if (begun_there) point_.rep_done += start_.rep_done;
  }
  return origin->state;
}

/// si_addr of SIGILL, SIGFPE and SIGTRAP is the instruction's.
void TranslatedRun::Engine::make_siginfo_native(ThreadStop& stop) {
  siginfo_t info{};
  ICECORE_CHECK(stop.siginfo.size() >= sizeof info);
  std::memcpy(&info, stop.siginfo.data(), sizeof info);
  if (info.si_signo == SIGSEGV || info.si_signo == SIGBUS) return;
  const auto address = reinterpret_cast<std::uint64_t>(info.si_addr);
  if (!cache_->memory().contains(address)) return;
  if (const auto origin = cache_->origin_of(address)) {
    info.si_addr = reinterpret_cast<void*>(origin->pc);
    std::memcpy(stop.siginfo.data(), &info, sizeof info);
    snapshot::ptrace_call::set_siginfo(thread_.tid(), stop.siginfo);
  }
}

/// The target of the indirect transfer that looked it up in vain; registers are native afterwards.
std::uint64_t TranslatedRun::Engine::take_target() {
  const CacheLayout& layout = cache_->memory().layout();
  std::array<std::uint64_t, 3> slots{};
  cache_->memory().read(layout.rcx(), slots);
  thread_.registers().rcx = slots[0];
  thread_.registers().rax = slots[1];
  bad_target_ = !is_canonical(slots[2]);
  return slots[2];
}

/// The processor itself refuses to go to an address that is none: the transfer is undone and done
/// natively, so that the fault is where it is natively.
TranslatedRun::Engine::Step TranslatedRun::Engine::fault_at_transfer() {
  std::array<std::uint64_t, 1> low{};
  cache_->memory().read(cache_->memory().layout().origin(), low);
  for (const Arena& arena : cache_->memory().arenas()) {
    std::uint64_t address = (arena.base & ~0xffffffffULL) | (low[0] & 0xffffffffULL);
    if (address < arena.base) address += 0x100000000ULL;
    const auto origin = arena.contains(address) ? cache_->origin_of(address) : std::nullopt;
    if (!origin || (origin->state & Mark::kInside) == 0) continue;
    std::array<std::uint8_t, 15> bytes{};
    const std::size_t size = cache_->program().read(origin->pc, bytes);
    const auto form = decode(std::span(bytes).first(size));
    if (!form) continue;
    user_regs_struct& registers = thread_.registers();
    if (form->flow == Flow::CallIndirect) registers.rsp += 8;
    if (form->flow == Flow::Return) {
      registers.rsp -= 8 + (form->opcode == 0xc2 ? static_cast<std::uint64_t>(form->relative) : 0);
    }
    counter_.remove_transfer();
    arrive(origin->pc, Arrival::Arrived);
    return fault_natively(WhyNot::Absent);
  }
  throw Error("a jump to " + hex(point_.pc) + " cannot be traced back to its instruction");
}

/// There is no code to copy at the point: what it does natively is a fault.
TranslatedRun::Engine::Step TranslatedRun::Engine::fault_natively(WhyNot why_not) {
  const std::string code = "the code at " + hex(point_.pc) + " cannot be run exactly: ";
  if (why_not == WhyNot::Changing) {
    throw Refused(code + "its mapping is writable or shared, so that it may change at any time");
  }
  if (why_not == WhyNot::TooFar) {
    throw Refused(code + "it refers to data that is more than 2 GiB away from any room for a copy");
  }
  ThreadStop stop = thread_.single_step();
  if (stop.reason == ThreadStop::Reason::Ended) return Ended{stop.status};
  arrive(thread_.registers().rip, Arrival::Arrived);
  if (stop.reason == ThreadStop::Reason::Fault) {
    return Fault{WSTOPSIG(stop.status), std::move(stop.siginfo)};
  }
  throw Refused(code + "its instruction is not known");
}

/// Runs the `rep` instruction at the point for some of its repetitions; false when it ended before.
bool TranslatedRun::Engine::advance_repetition(std::uint64_t times) {
  user_regs_struct& registers = thread_.registers();
  std::array<std::uint8_t, 15> bytes{};
  const std::size_t size = cache_->program().read(point_.pc, bytes);
  const auto form = decode(std::span(bytes).first(size));
  if (!form || !form->is_repeated_string() || registers.rcx <= times) return false;
  const ExecutionPoint before = point_;
  const std::uint64_t flags = registers.eflags;
  const std::uint64_t left = registers.rcx - times;
  const auto code = cache_->precise_block_at(point_.pc, point_.pc + form->length);
  const auto* address = std::get_if<std::uint64_t>(&code);
  if (address == nullptr) return false;
  registers.rcx = times;
  registers.rip = *address;
  cache_->memory().flush();
  const ThreadStop stop = thread_.resume();
  const std::uint64_t undone = registers.rcx;
  // Until its end a repeated comparison keeps the flags from before (seen on Zen 5).
  registers.eflags = flags;
  registers.rcx += left;
  point_ = before;
  point_.rep_done += times - undone;
  registers.rip = point_.pc;
  return stop.reason == ThreadStop::Reason::Trap && undone == 0;
}

/// What x87 keeps as the address of its newest instruction, which fnstenv and xsave show.
void TranslatedRun::Engine::mend_x87() {
  if (!cache_->has_x87()) return;
  const std::uint64_t address = thread_.x87_instruction();
  if (!cache_->memory().contains(address)) return;
  const auto origin = cache_->origin_of(address);
  thread_.set_x87_instruction(origin ? origin->pc : 0);
}

}  // namespace icecore::replay
