// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/thread_capture.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "snapshot/capture/partial_registers.h"
#include "snapshot/capture/registers.h"
#include "snapshot/capture/thread_state.h"
#include "snapshot/tracing/sleep_clock.h"

namespace icecore::snapshot {
namespace {

void add_limitation(model::Snapshot& snapshot, int pid, int tid, std::string reason) {
  auto* limitation = snapshot.add_limitations();
  limitation->set_pid(pid);
  limitation->set_tid(tid);
  limitation->set_object("registers of thread " + std::to_string(tid));
  limitation->set_reason(std::move(reason));
  limitation->set_effect(model::Limitation::INCOMPLETE);
}

std::string reason_not_held(const TracedThread* traced) {
  if (traced != nullptr && traced->state == TracedThread::State::Suspended) {
    return "it waits in the kernel for its vfork child";
  }
  if (traced != nullptr && traced->state == TracedThread::State::Foreign) {
    return traced->foreign_tracer != 0
               ? "process " + std::to_string(traced->foreign_tracer) + " traces it"
               : "we may not trace it";
  }
  return "it did not stop";
}

bool equal_bytes(const std::string& bytes, const user_regs_struct& registers) {
  return bytes.size() == sizeof registers &&
         std::memcmp(bytes.data(), &registers, sizeof registers) == 0;
}

/// The stack where the function that made the call, and what it calls, keep their return addresses;
/// not further up than the page with the thread's rseq area, which the kernel writes whenever the
/// thread is resumed.
bool stack_untouched(const TracedThread& traced, const model::Thread& before,
                     const MemorySpace& space) {
  constexpr std::uint64_t kRedZone = 128;
  constexpr std::uint64_t kFrame = 1024;
  constexpr std::uint64_t kPage = 4096;
  const std::uint64_t start = traced.registers.rsp - kRedZone;
  std::uint64_t end = traced.registers.rsp + kFrame;
  const std::uint64_t rseq_page = before.rseq_address() / kPage * kPage;
  if (rseq_page > start && rseq_page < end) end = rseq_page;
  return space.untouched(start, end);
}

}  // namespace

const ThreadCapture::Known* ThreadCapture::find_known(int pid, std::uint64_t start_time) const {
  const auto known = known_.find(pid);
  const bool same = known != known_.end() && known->second.process.start_time() == start_time;
  return same ? &known->second : nullptr;
}

const model::Thread* ThreadCapture::resting_place(const Known* known, const TracedThread* traced,
                                                  const MemorySpace* space) {
  if (known == nullptr || space == nullptr || traced == nullptr) return nullptr;
  if (traced->state != TracedThread::State::Stopped || traced->stop_signal != 0 || traced->call) {
    return nullptr;
  }
  const auto index = known->threads.find(traced->tid);
  if (index == known->threads.end()) return nullptr;
  const model::Thread& before = known->process.threads(index->second);
  const bool same = before.system_call().inside() && before.stop_signal() == 0 &&
                    before.altstack().known() && equal_bytes(before.registers(), traced->registers);
  return same && stack_untouched(*traced, before, *space) ? &before : nullptr;
}

bool ThreadCapture::capture_quiet(const ProcDirectory& directory, const Known& known,
                                  const model::Thread& before, const model::Process& process,
                                  TracedThread& traced, model::Thread& thread) {
  const auto switches = known.switches.find(traced.tid);
  const auto status = read_thread_status(directory, traced.tid);
  if (!status || switches == known.switches.end()) return false;
  // None: it stayed stopped. Two: it went on sleeping, and was stopped.
  const std::uint64_t since = status->voluntary_switches - switches->second;
  if (since != 0 && since != 2) return false;
  if (!ptrace_call::has_xstate(traced.tid, before.xstate())) return false;
  thread = before;
  refresh_thread(*status, process, thread);
  refresh_slept_time(traced, thread);
  capture_private_pending(traced, thread);
  switches_[process.pid()][traced.tid] = status->voluntary_switches;
  return true;
}

bool ThreadCapture::capture_other(const ProcDirectory& directory, int tid, TracedThread* traced,
                                  model::Process& process, model::Thread& thread,
                                  model::Snapshot& snapshot) {
  thread.Clear();
  thread.set_tid(tid);
  const bool held = traced != nullptr && traced->readable();
  if (!held) {
    if (!capture_thread_state(directory, tid, Activity::Running, process, thread)) return false;
    if (thread.state() == "Z" || thread.state() == "X") return true;  // the leader has exited
  } else {
    if (!fill_thread_stat(directory, tid, thread)) return false;
    if (const auto status = read_thread_status(directory, tid)) {
      fill_thread_status(*status, process, thread);
      switches_[process.pid()][tid] = status->voluntary_switches;
    }
    if (traced->state == TracedThread::State::GroupStopped) {
      process.set_state(model::Process::STOPPED);
      process.set_group_stop_signal(traced->group_stop_signal);
      thread.set_state("T");
    }
    if (capture_registers(*traced, thread)) return true;
  }
  const bool some = fill_partial_registers(process.pid(), tid, thread);
  add_limitation(snapshot, process.pid(), tid,
                 reason_not_held(traced) +
                     (some ? "; only rip, rsp and the arguments of its system call are known"
                           : "; they are unknown"));
  return true;
}

MemorySpace::Ran ThreadCapture::capture(const ProcDirectory& directory, const MemorySpace* space,
                                        model::Process& process, model::Snapshot& snapshot) {
  switches_[process.pid()].clear();
  const Known* known = find_known(process.pid(), process.start_time());
  int quiet = 0;
  for (const int tid : directory.thread_ids()) {
    const auto found = tree_.threads().find(tid);
    TracedThread* traced = found != tree_.threads().end() ? &found->second : nullptr;
    auto& thread = *process.add_threads();
    const model::Thread* before = resting_place(known, traced, space);
    if (before != nullptr && capture_quiet(directory, *known, *before, process, *traced, thread)) {
      ++quiet;
    } else if (!capture_other(directory, tid, traced, process, thread, snapshot)) {
      process.mutable_threads()->RemoveLast();
    }
  }
  const bool all =
      known != nullptr && quiet == process.threads_size() && quiet == known->process.threads_size();
  return all ? MemorySpace::Ran::No : MemorySpace::Ran::Maybe;
}

const ThreadCapture::Known& ThreadCapture::before(const model::Process& process) const {
  return known_.at(process.pid());
}

bool ThreadCapture::has_rested(const Known& known, const model::Process& process,
                               const MemorySpace& space) {
  const model::Process& before = known.process;
  return space.watched() && !space.watch_is_dead() && before.state() == process.state() &&
         before.sigactions_known() && before.interval_timers().empty() &&
         before.posix_timers().empty();
}

void ThreadCapture::set_switches(int pid, int tid, std::uint64_t count) {
  switches_[pid][tid] = count;
}

void ThreadCapture::ran_for_us(int pid, int tid) {
  auto& switches = switches_[pid];
  if (const auto count = SleepClock::voluntary_switches(pid, tid)) {
    switches[tid] = *count;
  } else {
    switches.erase(tid);
  }
}

void ThreadCapture::remember(const model::Snapshot& snapshot) {
  std::map<int, Known> known;
  for (const auto& process : snapshot.processes()) {
    const auto switches = switches_.find(process.pid());
    if (switches == switches_.end()) continue;
    Known& entry = known[process.pid()];
    entry.process = process;
    entry.switches = std::move(switches->second);
    for (int i = 0; i < process.threads_size(); ++i) entry.threads[process.threads(i).tid()] = i;
  }
  known_ = std::move(known);
  switches_.clear();
}

}  // namespace icecore::snapshot
