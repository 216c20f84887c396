// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/remote_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "snapshot/tracing/affinity.h"
#include "snapshot/tracing/call_table.h"
#include "snapshot/tracing/process_memory.h"
#include "snapshot/tracing/return_frame.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::snapshot {
namespace {

// Our mapping: code, table of calls, scratch memory for arguments and results, the way back.
constexpr std::size_t kCodeSize = 4096;
constexpr std::size_t kTableSize = 8192;
constexpr std::size_t kFrameSpace = 16384;
constexpr std::size_t kMaxRows = kTableSize / kCallRowSize;
constexpr std::size_t kFrameOffset = kCodeSize + kTableSize + RemoteProcess::kScratchSize;
constexpr std::size_t kAreaSize = kFrameOffset + kFrameSpace;

// After the calls it sends itself the signal in r14d, one that is ignored: a traced thread stops
// for it, an untraced one goes on and returns by the frame at r13 to what it was doing.
constexpr auto kWalker = call_walker(std::array<unsigned char, 39>{
    0xb8, 0xba, 0x00, 0x00, 0x00,  // mov eax, SYS_gettid
    0x0f, 0x05,                    // syscall
    0x89, 0xc6,                    // mov esi, eax
    0xb8, 0x27, 0x00, 0x00, 0x00,  // mov eax, SYS_getpid
    0x0f, 0x05,                    // syscall
    0x89, 0xc7,                    // mov edi, eax
    0x44, 0x89, 0xf2,              // mov edx, r14d
    0xb8, 0xea, 0x00, 0x00, 0x00,  // mov eax, SYS_tgkill
    0x0f, 0x05,                    // syscall
    0x49, 0x8d, 0x65, 0x08,        // done: lea rsp, [r13+8]
    0xb8, 0x0f, 0x00, 0x00, 0x00,  // mov eax, SYS_rt_sigreturn
    0x0f, 0x05,                    // syscall
});
constexpr std::uint64_t kWalkerDone = 70;
// Where its own `syscall` instructions are.
constexpr std::uint64_t kWalkerGettid = 47;
constexpr std::uint64_t kWalkerGetpid = 56;
constexpr std::uint64_t kWalkerTgkill = 68;
constexpr std::uint64_t kWalkerSigreturn = 79;
constexpr std::uint64_t kSigreturnGadgetSyscall = 7;  // behind `mov $15, %rax`

constexpr std::uint64_t bit_of(int signal) { return 1ULL << static_cast<unsigned>(signal - 1); }

constexpr RemoteCall kMapArea{
    SYS_mmap,
    {0, kAreaSize, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, ~0ULL, 0},
    0};

/// A signal that does nothing to a program that has no handler for it; SIGTRAP when there is none.
int harmless_signal(std::uint64_t caught) {
  for (const int signal : {SIGURG, SIGWINCH, SIGCHLD}) {
    if ((caught & bit_of(signal)) == 0) return signal;
  }
  return SIGTRAP;
}

}  // namespace

/// While it lives the thread's seccomp does nothing, if the passage wants that.
class RemoteProcess::Suspension {
 public:
  Suspension(const TracedTree& tree, const TracedThread& thread, SeccompGate::Passage passage)
      : tid_(passage == SeccompGate::Passage::OpenSuspended ? thread.tid : 0),
        options_(tree.options_for(thread.pid)) {
    if (tid_ != 0) ptrace_call::set_options(tid_, options_ | ptrace_call::kSuspendSeccomp);
  }
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;
  ~Suspension() {
    if (tid_ != 0) ptrace_call::set_options(tid_, options_);
  }

 private:
  int tid_;
  unsigned options_;
};

std::optional<RemoteProcess> RemoteProcess::enter(TracedTree& tree, GadgetFinder& finder, int pid,
                                                  SeccompGate::Danger danger) {
  TracedThread* thread = tree.driver(pid);
  if (thread == nullptr) return std::nullopt;
  const auto signals = task_signals(pid, thread->tid);
  if (!signals) return std::nullopt;
  const auto gadgets = finder.find(tree, pid);
  if (!gadgets) return std::nullopt;
  RemoteProcess remote(tree, pid, thread->tid, *gadgets, danger);
  if (signals->seccomp != 0) remote.gate_.watch(thread->tid, signals->seccomp);
  const auto passage = remote.passage_of_steps(thread->tid);
  if (passage == SeccompGate::Passage::Closed) {
    log(Topic::Tracing, "process " + std::to_string(pid) + ": seccomp forbids remote calls");
    return std::nullopt;
  }
  remote.signal_ = harmless_signal(signals->caught);
  remote.cpu_ = last_cpu(pid, thread->tid);
  move_to_cpu(remote.cpu_);
  RemoteCall map = kMapArea;
  remote.begin(*thread);
  bool mapped = false;
  {
    const Suspension suspension(tree, *thread, passage);
    mapped = remote.step_syscall(*thread, map);
  }
  remote.end(*thread);
  if (!mapped || (map.result < 0 && map.result > -4096)) return std::nullopt;
  remote.area_ = static_cast<std::uint64_t>(map.result);
  if (!remote.write(remote.area_, std::as_bytes(std::span(kWalker)))) return std::nullopt;
  return remote;
}

RemoteProcess::RemoteProcess(TracedTree& tree, int pid, int driver, const CodeGadgets& gadgets,
                             SeccompGate::Danger danger)
    : tree_(&tree),
      pid_(pid),
      driver_(driver),
      gadgets_(gadgets),
      gate_(danger),
      affinity_(std::make_unique<AffinityScope>()) {}

RemoteProcess::RemoteProcess(RemoteProcess&& other) noexcept
    : tree_(other.tree_),
      pid_(other.pid_),
      driver_(other.driver_),
      gadgets_(other.gadgets_),
      gate_(std::move(other.gate_)),
      signal_(other.signal_),
      cpu_(other.cpu_),
      affinity_(std::move(other.affinity_)),
      area_(std::exchange(other.area_, 0)) {}

RemoteProcess::~RemoteProcess() {
  if (area_ == 0) return;
  try {
    const auto found = tree_->threads().find(driver_);
    if (found == tree_->threads().end() || !found->second.readable()) return;
    move_to_cpu(cpu_);
    RemoteCall unmap{SYS_munmap, {area_, kAreaSize}, 0};
    begin(found->second);
    {
      const Suspension suspension(*tree_, found->second, passage_of_steps(driver_));
      step_syscall(found->second, unmap);
    }
    end(found->second);
  } catch (const Error& error) {
    log(Topic::Tracing, std::string("leaving a process: ") + error.what());
  }
}

std::uint64_t RemoteProcess::scratch() const { return area_ + kCodeSize + kTableSize; }

bool RemoteProcess::read(std::uint64_t address, std::span<std::byte> out) const {
  return read_process(pid_, address, out);
}

bool RemoteProcess::write(std::uint64_t address, std::span<const std::byte> bytes) const {
  return write_process(pid_, address, bytes);
}

bool RemoteProcess::run(int tid, int cpu, std::span<RemoteCall> calls) {
  auto& thread = tree_->threads().at(tid);
  move_to_cpu(cpu);
  begin(thread);
  const bool alive = gate_.watches(tid) ? run_permitted(thread, calls) : run_all(thread, calls);
  end(thread);
  return alive;
}

bool RemoteProcess::run_all(TracedThread& thread, std::span<RemoteCall> calls) {
  bool alive = true;
  while (alive && !calls.empty()) {
    const auto part = calls.first(std::min(calls.size(), kMaxRows));
    alive = run_walker(thread, part);
    calls = calls.subspan(part.size());
  }
  return alive;
}

/// Those that seccomp lets pass; the others are as if they had not been asked for.
bool RemoteProcess::run_permitted(TracedThread& thread, std::span<RemoteCall> calls) {
  for (auto& call : calls) call.result = RemoteCall::kNotMade;
  auto passage = passage_out(thread.tid);
  if (passage == SeccompGate::Passage::Closed) return true;
  std::vector<RemoteCall> permitted;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto own = gate_.passage(thread.tid, {&calls[i], area_ + kCallLoopSyscall});
    if (own == SeccompGate::Passage::Closed) continue;
    if (own == SeccompGate::Passage::OpenSuspended) passage = own;
    permitted.push_back(calls[i]);
    places.push_back(i);
  }
  const Suspension suspension(*tree_, thread, passage);
  if (!run_all(thread, permitted)) return false;
  for (std::size_t i = 0; i < places.size(); ++i) calls[places[i]].result = permitted[i].result;
  return true;
}

bool RemoteProcess::permits(std::int64_t number) {
  const RemoteCall call{number, {}, 0};
  return gate_.passage(driver_, {&call, area_ + kCallLoopSyscall}) != SeccompGate::Passage::Closed;
}

/// For what the walker itself calls after the table: it must reach its signal, and with or without
/// us the way back.
SeccompGate::Passage RemoteProcess::passage_out(int tid) {
  if (!gate_.lets_return(tid, area_ + kWalkerSigreturn)) return SeccompGate::Passage::Closed;
  const RemoteCall own_tid{SYS_gettid, {}, 0};
  const RemoteCall own_pid{SYS_getpid, {}, 0};
  const RemoteCall stop{
      SYS_tgkill,
      {static_cast<std::uint64_t>(innermost_id(pid_, pid_)),
       static_cast<std::uint64_t>(innermost_id(pid_, tid)), static_cast<std::uint64_t>(signal_)},
      0};
  const std::array<SeccompGate::Call, 3> calls{{{&own_tid, area_ + kWalkerGettid},
                                                {&own_pid, area_ + kWalkerGetpid},
                                                {&stop, area_ + kWalkerTgkill}}};
  return gate_.passage(tid, calls);
}

/// For coming and going: the area is mapped and unmapped again from code of the process itself.
SeccompGate::Passage RemoteProcess::passage_of_steps(int tid) {
  if (!gate_.watches(tid)) return SeccompGate::Passage::Open;
  if (!gate_.lets_return(tid, gadgets_.sigreturn + kSigreturnGadgetSyscall)) {
    return SeccompGate::Passage::Closed;
  }
  const RemoteCall unmap{SYS_munmap, {area_, kAreaSize}, 0};
  const std::array<SeccompGate::Call, 2> calls{
      {{&kMapArea, gadgets_.syscall}, {&unmap, gadgets_.syscall}}};
  return gate_.passage(tid, calls);
}

std::int64_t RemoteProcess::call(std::int64_t number, std::array<std::uint64_t, 6> arguments) {
  std::array calls{RemoteCall{number, arguments, -ESRCH}};
  run(driver_, cpu_, calls);
  return calls[0].result;
}

void RemoteProcess::begin(TracedThread& thread) {
  thread.saved_mask =
      thread.signal_mask ? *thread.signal_mask : ptrace_call::signal_mask(thread.tid).value_or(0);
}

/// Makes the thread run ours from now on. All signals wait, but for those that our stops are made
/// of: a forced SIGTRAP that is blocked would cost the program its handler for it (force_sig in the
/// kernel). In this order: what we make it run ends by restoring the mask, should we die in
/// between.
bool RemoteProcess::send_off(const TracedThread& thread, const user_regs_struct& registers) const {
  return ptrace_call::set_registers(thread.tid, registers) &&
         ptrace_call::set_signal_mask(thread.tid, ~(bit_of(SIGTRAP) | bit_of(signal_)));
}

/// Lays out the thread's way back; false when there is no room for it.
bool RemoteProcess::write_return_frame(TracedThread& thread, std::uint64_t address,
                                       std::size_t room) const {
  // Of a thread at rest it is what the capture has read.
  if (thread.xstate.empty()) thread.xstate = ptrace_call::xstate(thread.tid).value_or("");
  if (thread.xstate.empty()) return false;
  const auto frame = make_return_frame(thread.safe_registers(), thread.xstate, thread.saved_mask,
                                       address, gadgets_.sigreturn);
  return frame.size() <= room && write(address, frame);
}

void RemoteProcess::end(TracedThread& thread) {
  ptrace_call::set_signal_mask(thread.tid, thread.saved_mask);
  ptrace_call::set_registers(thread.tid, thread.safe_registers());
  if (thread.state == TracedThread::State::GroupStopped) {
    tree_->restore_group_stop(thread);
  } else if (thread.stop_signal != 0 && !thread.stop_siginfo.empty()) {
    ptrace_call::set_siginfo(thread.tid, thread.stop_siginfo);
  }
}

bool RemoteProcess::step_syscall(TracedThread& thread, RemoteCall& call) {
  user_regs_struct registers = thread.registers;
  registers.orig_rax = ~0ULL;  // we are not inside a call that could be restarted
  registers.rip = gadgets_.syscall;
  const bool can_return = gadgets_.syscall_return != 0 && gadgets_.sigreturn != 0;
  if (can_return && gadgets_.free_stack != 0 &&
      write_return_frame(thread, gadgets_.free_stack, CodeGadgets::kFreeStackSize)) {
    // Untraced, it would go on by `ret` to sigreturn and from there to where it was.
    registers.rip = gadgets_.syscall_return;
    registers.rsp = gadgets_.free_stack;
  }
  registers.rax = static_cast<std::uint64_t>(call.number);
  registers.rdi = call.arguments[0];
  registers.rsi = call.arguments[1];
  registers.rdx = call.arguments[2];
  registers.r10 = call.arguments[3];
  registers.r8 = call.arguments[4];
  registers.r9 = call.arguments[5];
  if (!send_off(thread, registers)) return false;
  // Not by PTRACE_SINGLESTEP: its flag stays with the thread when the tracer dies, whose next
  // instruction then ends the program with SIGTRAP. That of PTRACE_SYSCALL goes with the tracer.
  do {
    if (!ptrace_call::resume_to_syscall(thread.tid, 0) || !wait_for_trap(thread)) return false;
  } while (ptrace_call::syscall_side(thread.tid) != ptrace_call::SyscallSide::Entry);
  // Sent now, the signal stops the thread behind the call, before any instruction: one stop less
  // than by way of the call's exit. It cuts short none of the calls that are made so.
  if (!go_to_signal_stop(thread)) return false;
  const auto after = ptrace_call::registers(thread.tid);
  if (!after) return false;
  call.result = static_cast<std::int64_t>(after->rax);
  return true;
}

/// Only from such a stop a signal can be delivered, and the kernel restarts an interrupted call.
bool RemoteProcess::go_to_signal_stop(TracedThread& thread) {
  if (::syscall(SYS_tgkill, pid_, thread.tid, signal_) != 0) return false;
  int stopped_by = 0;
  do {
    if (!ptrace_call::resume(thread.tid, 0) || !wait_for_trap(thread)) return false;
    const auto info = ptrace_call::siginfo(thread.tid);
    if (!info) return false;
    std::memcpy(&stopped_by, info->data(), sizeof stopped_by);
  } while (stopped_by != signal_);
  return true;
}

bool RemoteProcess::run_walker(TracedThread& thread, std::span<RemoteCall> calls) {
  const std::uint64_t table = area_ + kCodeSize;
  auto rows = call_rows(calls, -ESRCH);
  if (!write(table, std::as_bytes(std::span(rows)))) return false;
  user_regs_struct registers = thread.registers;
  registers.orig_rax = ~0ULL;
  registers.rip = area_;
  registers.rbx = table;
  registers.r12 = calls.size();
  registers.r13 = area_ + kFrameOffset;
  registers.r14 = static_cast<std::uint64_t>(signal_);
  if (!write_return_frame(thread, registers.r13, kFrameSpace)) return false;
  if (!send_off(thread, registers)) return false;
  do {
    if (!ptrace_call::resume(thread.tid, 0) || !wait_for_trap(thread)) return false;
    const auto after = ptrace_call::registers(thread.tid);
    if (!after) return false;
    registers = *after;
  } while (registers.rip != area_ + kWalkerDone);
  if (!read(table, std::as_writable_bytes(std::span(rows)))) return false;
  take_results(rows, calls);
  return true;
}

/// Waits for the stop of our step, or of the walker's signal to itself. All other signals are
/// blocked, except SIGSTOP, which is kept to be delivered at the end, and SIGKILL.
bool RemoteProcess::wait_for_trap(TracedThread& thread) {
  int status = 0;
  pid_t got = 0;
  while ((got = ::waitpid(thread.tid, &status, __WALL)) < 0 && errno == EINTR) {
  }
  if (got != thread.tid || !WIFSTOPPED(status)) return false;
  if (status >> 16 == 0 && WSTOPSIG(status) == SIGSTOP && thread.stop_signal == 0) {
    thread.stop_signal = SIGSTOP;
    thread.stop_siginfo = ptrace_call::siginfo(thread.tid).value_or(SiginfoBytes{});
  }
  return true;
}

}  // namespace icecore::snapshot
