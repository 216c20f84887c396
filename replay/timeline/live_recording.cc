// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/live_recording.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "replay/live/held_signal.h"
#include "replay/record/memory_map.h"
#include "replay/record/seen_registers.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"
#include "snapshot/tracing/syscall_instruction.h"
#include "snapshot/tracing/syscall_restart.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;
using snapshot::registers_of;

namespace {

constexpr std::size_t kMostLogBytes = 256ULL << 20U;
constexpr std::uint64_t kEventsToCheckpoint = 2000;
constexpr std::chrono::milliseconds kTimeToCheckpoint{250};

/// Memory that others write, and that a copy of the process would write for them.
std::string shared_memory(std::int32_t pid) {
  for (const auto& mapping : mappings_of(pid)) {
    if (mapping.shared && mapping.writable) {
      return mapping.name.empty() ? "anonymous memory" : mapping.name;
    }
  }
  return {};
}

bool at_syscall_instruction(const LiveThread& thread) {
  std::array<std::byte, 2> code{};
  const auto registers = ptrace_call::registers(thread.id.tid);
  if (!registers) return false;
  const std::uint64_t pc = registers->rip;
  TracedMemory(thread.id.tid).read_some(pc, code);
  return code[0] == std::byte{0x0f} && code[1] == std::byte{0x05};
}

/// An interrupt that is on its way has been taken by our own stops: it is asked for again.
void keep_interrupted(const LiveThread& thread) {
  if (thread.interrupted) ptrace_call::interrupt(thread.id.tid);
}

/// At a birth or an execution, the call has still to return: a call of ours would take the place of
/// its result, and the program see that it failed.
bool is_unanswered(const user_regs_struct& registers) {
  return static_cast<std::int64_t>(registers.orig_rax) >= 0 &&
         static_cast<std::int64_t>(registers.rax) == -ENOSYS;
}

}  // namespace

LiveRecording::Life& LiveRecording::life(std::int32_t pid) {
  const auto found = lives_.find(pid);
  if (found != lives_.end() && found->second.history) return found->second;
  // A client shows one line.
  std::string reason = "it has not run yet";
  if (mode_ == Mode::Off) {
    reason = "nothing is recorded since `monitor record off`";
  } else if (found != lives_.end() && !found->second.begins_because.empty()) {
    reason = found->second.begins_because;
  }
  throw Error("process " + std::to_string(pid) + " has no history to go back to: " + reason);
}

const SureMoments* LiveRecording::sure_moments(std::int32_t pid) const {
  const auto found = lives_.find(pid);
  const bool none = mode_ == Mode::Off || found == lives_.end() || found->second.history ||
                    found->second.sure.begin() == found->second.sure.end();
  return none ? nullptr : &found->second.sure;
}

std::string LiveRecording::why_not_exact(std::int32_t pid) const {
  return lives_.at(pid).begins_because;
}

bool LiveRecording::has_history(std::int32_t pid) const {
  const auto found = lives_.find(pid);
  return found != lives_.end() && found->second.history;
}

void LiveRecording::end(Life& life, const std::string& reason) {
  life.history.reset();
  life.log.clear();
  life.begins_because = reason;
}

void LiveRecording::changed(std::int32_t pid, const std::string& what) {
  const auto found = lives_.find(pid);
  if (found != lives_.end()) end(found->second, what);
}

void LiveRecording::set_mode(Mode mode) {
  mode_ = mode;
  if (mode == Mode::On) return;
  for (auto& [pid, life] : lives_) {
    end(life, {});
    life.sure = {};
  }
}

void LiveRecording::begin(Life& life, const LiveProcess& process) {
  if (const auto shared = shared_memory(process.pid); !shared.empty()) {
    life.begins_because = "it shares memory with others (" + shared + ")";
    life.hopeless = true;
    return;
  }
  snapshot::move_to_cpu(::sched_getcpu());
  if (!life.recorder) {
    using Stamps = EventRecorder::TimeStamps;
    const bool ours = process.ownership == LiveProcess::Ownership::Ours;
    life.recorder = std::make_unique<EventRecorder>(process.pid, life.log,
                                                    ours ? Stamps::Seen : Stamps::Unseen);
  }
  life.recorder->begin_anew();
  life.history = std::make_unique<History>(life.log, life.recorder->syscall_instruction());
  checkpoint(life, process);
}

/// In front of the first thread that goes on, while all stand still.
void LiveRecording::keep_sure_moment(Life& life, const LiveProcess& process, LiveThread& thread) {
  const auto stands = [](const auto& one) {
    return one.second.state == LiveThread::State::Stopped && one.second.group_stop == 0;
  };
  if (!std::ranges::all_of(process.threads, stands) || !life.sure.is_due()) return;
  const auto registers = ptrace_call::registers(thread.id.tid);
  if (!registers || is_unanswered(*registers)) return;
  auto held = take_signal(thread);
  try {
    life.sure.add(process, thread.id.tid);
  } catch (const Error& error) {
    log(Topic::Tracing, std::string("keeping a moment: ") + error.what());
  }
  if (held) send_again(thread, *std::move(held));
  keep_interrupted(thread);
}

/// Behind an interruption: when nobody could say where it came.
void LiveRecording::keep_witness(Life& life, const LiveProcess& process) {
  const Interruption* taken = life.log.interruption(life.log.end() - 1);
  if (taken == nullptr || taken->place != Interruption::Place::Anywhere) return;
  note_checkpoint(life, process, *life.history->add_witness(process.pid));
}

void LiveRecording::checkpoint(Life& life, const LiveProcess& process) {
  note_checkpoint(life, process, *life.history->add_checkpoint(process.pid));
}

void LiveRecording::note_checkpoint(Life& life, const LiveProcess& process, const Moment& moment) {
  LiveMemory(moment.pid).clean_copy_of(*process.memory);
  life.events_at_checkpoint = life.log.end();
  life.checkpoint_time = std::chrono::steady_clock::now();
  const bool copies_take_too_much =
      life.copy_memory.is_too_much(process.pid, life.history->copies());
  if (life.log.bytes() > kMostLogBytes || copies_take_too_much) {
    life.log.forget_before(life.history->forget_half());
    life.begins_because = "older moments took more memory than is kept";
  }
}

bool LiveRecording::before_run(LiveProcess& process, LiveThread& thread) {
  if (mode_ == Mode::Off || process.visibility == LiveProcess::Visibility::Hidden) return false;
  const bool known = lives_.contains(process.pid);
  Life& life = lives_[process.pid];
  if (process.threads.size() != 1) {
    end(life, "it has " + std::to_string(process.threads.size()) +
                  " threads, whose order nobody can repeat");
    keep_sure_moment(life, process, thread);
    return false;
  }
  const auto read = ptrace_call::registers(thread.id.tid);
  if (!read) return false;  // killed: its exit will be reported
  const user_regs_struct& registers = *read;
  // The exec that made the program is still to come back.
  if (!known && static_cast<std::int64_t>(registers.orig_rax) == SYS_execve) life.in_call = true;
  life.put_off.send_if_due(thread);
  const bool cut_short = as_seen(registers).rip != registers.rip;
  if (life.hopeless) keep_sure_moment(life, process, thread);
  if (life.hopeless || life.history || life.in_call || cut_short) return !life.hopeless;
  if (std::exchange(life.delivers_first, false)) return true;
  auto held = take_signal(thread);
  try {
    begin(life, process);
  } catch (const Error& error) {
    end(life, error.what());
  }
  life.delivers_first = held && !life.history;
  if (held) send_again(thread, *std::move(held));
  keep_interrupted(thread);
  return !life.hopeless;
}

bool LiveRecording::steps_call(const LiveThread& thread) {
  const auto found = lives_.find(thread.id.pid);
  if (found == lives_.end()) return false;
  return found->second.in_call || (found->second.history && at_syscall_instruction(thread));
}

/// Inside of it, as if it had come a moment later. A new program would not know the signal.
void LiveRecording::send_into_call(Life& life, LiveThread& thread) {
  const auto number = static_cast<std::int64_t>(registers_of(thread.id.tid).orig_rax);
  if (number == SYS_execve || number == SYS_execveat) return life.put_off.drop();
  life.put_off.send(thread);
}

void LiveRecording::at_call(LiveProcess& process, LiveThread& thread) {
  const auto found = lives_.find(process.pid);
  if (found == lives_.end()) return;
  Life& life = found->second;
  life.in_call = ptrace_call::syscall_side(thread.id.tid) == ptrace_call::SyscallSide::Entry;
  if (life.in_call && life.put_off.is_waiting()) send_into_call(life, thread);
  if (!life.history) return;
  try {
    if (life.in_call) {
      life.recorder->call_entered();
    } else {
      // Cut short by us alone: LiveTree lets it begin again.
      user_regs_struct registers = registers_of(thread.id.tid);
      if (thread.interrupted && snapshot::restart_if_cut_short(registers)) return;
      life.recorder->call_returned();
      const bool due = life.log.end() - life.events_at_checkpoint >= kEventsToCheckpoint ||
                       std::chrono::steady_clock::now() - life.checkpoint_time >= kTimeToCheckpoint;
      if (due && !life.recorder->inside_call()) checkpoint(life, process);
    }
    if (auto gap = life.recorder->take_gap()) end(life, *gap);
  } catch (const Error& error) {
    end(life, error.what());
  }
  keep_interrupted(thread);
}

bool LiveRecording::takes_fault(const LiveThread& thread) {
  const auto found = lives_.find(thread.id.pid);
  if (found != lives_.end() && found->second.recorder) {
    return found->second.recorder->timestamp_read(thread.id.tid);
  }
  return trapped_.contains(thread.id.pid) && EventRecorder::skip_timestamp_read(thread.id.tid);
}

void LiveRecording::born(std::int32_t parent, std::int32_t child) {
  const auto found = lives_.find(parent);
  if (found != lives_.end() && found->second.recorder) {
    found->second.recorder->free_child(child);
  } else if (trapped_.contains(parent)) {
    EventRecorder::end_timestamp_trap(child);
  }
}

/// The trap outlives an execution, but not what is known of the program.
void LiveRecording::forget(std::int32_t pid) {
  const auto found = lives_.find(pid);
  if (found == lives_.end()) return;
  const auto& recorder = found->second.recorder;
  if (recorder && recorder->stamps() == EventRecorder::TimeStamps::Seen) trapped_.insert(pid);
  lives_.erase(found);
}

/// On the way of a debugger's step signals come where they come.
bool LiveRecording::puts_off(Life& life, const LiveThread& thread, int signal) {
  const bool continues = thread.wanted->kind == gdbstub::ResumeAction::Kind::Continue;
  return continues && life.recorder->comes_anywhere(signal) &&
         life.put_off.puts_off(thread, signal);
}

void LiveRecording::time_passed(LiveProcess& process) {
  const auto found = lives_.find(process.pid);
  const auto leader = process.threads.find(process.pid);
  if (found == lives_.end() || leader == process.threads.end()) return;
  found->second.put_off.send_if_due(leader->second);
}

bool LiveRecording::delivers(LiveProcess& process, const LiveThread& thread, int signal) {
  const auto found = lives_.find(thread.id.pid);
  if (found == lives_.end() || !found->second.history) return false;
  Life& life = found->second;
  const auto start = PutOffSignal::Clock::now();
  bool done = false;
  try {
    if (puts_off(life, thread, signal)) return true;
    const bool anywhere = life.recorder->comes_anywhere(signal);
    done = life.recorder->deliver(signal);
    if (done) keep_witness(life, process);
    if (done && anywhere) life.put_off.cost_since(start);
  } catch (const Error& error) {
    end(life, error.what());
  }
  keep_interrupted(thread);
  return done;
}

void LiveRecording::missed(const LiveThread& thread, const char* what) {
  changed(thread.id.pid, std::string("what happened there could not be kept: ") + what);
}

void LiveRecording::let_go(LiveProcess& process) {
  auto leader = process.threads.find(process.pid);
  const bool reachable =
      leader != process.threads.end() && leader->second.state == LiveThread::State::Stopped;
  const auto found = lives_.find(process.pid);
  const bool trapped = trapped_.erase(process.pid) != 0;
  if (trapped && reachable && (found == lives_.end() || !found->second.recorder)) {
    EventRecorder::end_timestamp_trap(process.pid);
  }
  if (found == lives_.end()) return;
  Life& life = found->second;
  life.history.reset();
  life.sure = {};
  if (reachable) {
    const auto registers = ptrace_call::registers(process.pid);
    if (!life.in_call && registers && !is_unanswered(*registers)) {
      bury_copies(process.pid, snapshot::find_syscall_instruction(process.pid));
    }
    if (life.recorder) life.recorder->end();
    life.put_off.send(leader->second);
    // Our stops have taken the place of the one that would have delivered it.
    const int signal = std::exchange(leader->second.signal, 0);
    if (signal != 0) ::syscall(SYS_tgkill, process.pid, leader->first, signal);
  }
  lives_.erase(found);
}

}  // namespace icecore::replay
