// SPDX-License-Identifier: Apache-2.0
// What a debugger changes in recorded processes, by live_recording.h.
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "base/error.h"
#include "replay/record/seen_registers.h"
#include "replay/timeline/live_recording.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {
namespace {

bool is_mapped(std::int32_t pid, const MemoryWrite& write) {
  std::string bytes(write.bytes.size(), '\0');
  const auto got =
      TracedMemory(pid).read_some(write.address, std::as_writable_bytes(std::span(bytes)));
  return got == bytes.size();
}

}  // namespace

/// Our calls take the place of the stop: a signal that it would have delivered is sent again when
/// the client says what is to become of it.
void LiveRecording::record_change(LiveProcess& process, LiveThread& thread,
                                  const std::function<void(Life&)>& work) {
  Life& life = lives_.at(process.pid);
  const std::size_t copies = life.history->size();
  snapshot::move_to_cpu(::sched_getcpu());
  try {
    work(life);
    keep_witness(life, process);
  } catch (const Error& error) {
    end(life, error.what());
    throw;
  }
  if (life.history->size() != copies) thread.in_signal_stop = false;
  if (thread.interrupted) snapshot::ptrace_call::interrupt(thread.id.tid);
}

void LiveRecording::change_memory(LiveProcess& process, MemoryWrite write,
                                  const std::function<void()>& change) {
  const bool empty = process.threads.empty();
  LiveThread* thread = empty ? nullptr : &process.threads.begin()->second;
  if (!has_history(process.pid) || empty || !is_mapped(process.pid, write)) return change();
  if (thread->state != LiveThread::State::Stopped) {
    changed(process.pid, "the debugger changed its memory while it ran");
    return change();
  }
  record_change(process, *thread, [&](Life& life) {
    life.recorder->memory_changes(std::move(write));
    change();
  });
}

void LiveRecording::change_registers(LiveProcess& process, LiveThread& thread,
                                     const std::function<void()>& change) {
  if (!has_history(process.pid)) return change();
  const std::int32_t tid = thread.id.tid;
  const user_regs_struct before = snapshot::registers_of(tid);
  const std::string xstate = snapshot::xstate_of(tid);
  change();
  const bool same = equal_registers(as_seen(before), as_seen(snapshot::registers_of(tid))) &&
                    xstate == snapshot::xstate_of(tid);
  if (same) return;
  if (lives_.at(process.pid).recorder->inside_call()) {
    return changed(process.pid, "the debugger changed its registers inside of a system call");
  }
  record_change(process, thread,
                [&](Life& life) { life.recorder->registers_changed(before, xstate); });
}

}  // namespace icecore::replay
