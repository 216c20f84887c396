// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/thread_builder.h"

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "snapshot/tracing/kernel_signal.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

std::string name_of(const model::Thread& thread) {
  return "thread " + std::to_string(inner_tid(thread)) + " (" + thread.name() + ")";
}

bool is_living(const model::Thread& thread) {
  return thread.state() != "Z" && thread.state() != "X" && !thread.registers().empty();
}

}  // namespace

void make_threads(RestoredProcess& process) {
  std::vector<const model::Thread*> threads;
  for (const auto& thread : process.model->threads()) {
    if (thread.tid() != process.model->pid() && is_living(thread)) threads.push_back(&thread);
  }
  if (threads.empty()) return;
  CallBatch batch(process.puppet, process.puppet.pid());
  for (const auto* thread : threads) {
    clone_args arguments{};
    arguments.flags =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    arguments.set_tid = batch.put_struct(inner_tid(*thread));
    arguments.set_tid_size = 1;
    const auto address = batch.put_struct(arguments);
    batch.add(SYS_clone3, {address, sizeof arguments}, name_of(*thread) + ": making it");
  }
  batch.run();
  if (batch.born().size() != threads.size()) throw Error("the kernel did not tell all new threads");
  for (std::size_t i = 0; i < threads.size(); ++i) {
    snapshot::await_stop(batch.born()[i]);
    process.threads[threads[i]->tid()] = batch.born()[i];
  }
}

void set_thread_state(const model::Thread& thread, CallBatch& batch) {
  constexpr std::uint32_t kOnStack = 1;
  constexpr std::uint64_t kDefaultSlack = 50'000;
  const std::string what = name_of(thread);
  const auto name = batch.put_text(thread.name());
  batch.add(SYS_prctl, {PR_SET_NAME, name}, what + ": naming it");
  if (thread.clear_child_tid() != 0) {
    batch.add(SYS_set_tid_address, {thread.clear_child_tid()}, what + ": set_tid_address");
  }
  if (thread.robust_list() != 0) {
    batch.add(SYS_set_robust_list, {thread.robust_list(), thread.robust_list_length()},
              what + ": set_robust_list");
  }
  if (thread.rseq_address() != 0) {
    batch.add(SYS_rseq, {thread.rseq_address(), thread.rseq_length(), 0, thread.rseq_signature()},
              what + ": rseq");
  }
  if (thread.altstack().known() && thread.altstack().size() != 0) {
    const snapshot::KernelAltStack stack{
        thread.altstack().address(),
        static_cast<std::int32_t>(thread.altstack().flags() & ~kOnStack), 0,
        thread.altstack().size()};
    const auto address = batch.put_struct(stack);
    batch.add(SYS_sigaltstack, {address, 0}, what + ": sigaltstack");
  }
  if (thread.timer_slack_ns() != 0 && thread.timer_slack_ns() != kDefaultSlack) {
    batch.add(SYS_prctl, {PR_SET_TIMERSLACK, thread.timer_slack_ns()}, what + ": timer slack");
  }
}

void end_leader(RestoredProcess& process) {
  const int tid = process.puppet.pid();
  process.puppet.begin_call(RemoteCall{SYS_exit, {0}, 0});
  ptrace_call::resume(tid, 0);
  // The kernel tells of a leader's end only when the other threads have ended, too.
  const std::string path = "/proc/" + std::to_string(tid) + "/stat";
  for (;;) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    const auto after = line.rfind(") ");
    if (after == std::string::npos || line[after + 2] == 'Z') return;
    ::usleep(50);
  }
}

}  // namespace icecore::replay
