// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/signal_state.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstring>
#include <vector>

#include "base/error.h"
#include "snapshot/tracing/kernel_signal.h"

namespace icecore::replay {
namespace {

int number_of(const std::string& siginfo) {
  int number = 0;
  std::memcpy(&number, siginfo.data(), std::min(sizeof number, siginfo.size()));
  return number;
}

/// Nobody can queue these; they are made again by stopping and killing.
bool is_queueable(int signal) { return signal > 0 && signal != SIGKILL && signal != SIGSTOP; }

}  // namespace

void set_signal_actions(const RestoredProcess& process, CallBatch& batch) {
  for (const auto& action : process.model->actions()) {
    if (action.signal() == SIGTRAP) continue;
    const snapshot::KernelSigaction wanted{action.handler(), action.flags(), action.restorer(),
                                           action.mask()};
    const auto address = batch.put_struct(wanted);
    batch.add(SYS_rt_sigaction,
              {static_cast<std::uint64_t>(action.signal()), address, 0, snapshot::kKernelMaskSize},
              "setting the action of signal " + std::to_string(action.signal()));
  }
  // Those of the children that came and went while the tree was made, at most one each.
  const auto everything = batch.put_struct(~std::uint64_t{1ULL << (SIGTRAP - 1)});
  const auto at_once = batch.put_struct(timespec{});
  for (int i = 0; i < 2; ++i) {
    batch.add(SYS_rt_sigtimedwait, {everything, 0, at_once, snapshot::kKernelMaskSize},
              [](std::int64_t) {});
  }
}

void set_trap_action(RestoredProcess& process, int tid, std::uint64_t instruction,
                     std::uint64_t memory) {
  for (const auto& action : process.model->actions()) {
    if (action.signal() != SIGTRAP) continue;
    const snapshot::KernelSigaction wanted{action.handler(), action.flags(), action.restorer(),
                                           action.mask()};
    process.puppet.write(memory, std::as_bytes(std::span(&wanted, 1)));
    const std::int64_t result = process.puppet.call_at(
        tid, instruction, {SYS_rt_sigaction, {SIGTRAP, memory, 0, snapshot::kKernelMaskSize}, 0});
    if (result < 0) throw_errno("setting the action of SIGTRAP", static_cast<int>(-result));
  }
}

void queue_signals(RestoredProcess& process) {
  const auto pid = static_cast<std::uint64_t>(inner_pid(*process.model));
  // Only a thread itself may send what looks like the kernel's.
  if (!process.model->pending_signals().empty()) {
    CallBatch batch(process.puppet, process.puppet.pid());
    for (const auto& info : process.model->pending_signals()) {
      const int signal = number_of(info);
      if (!is_queueable(signal)) continue;
      const auto address = batch.put(std::as_bytes(std::span(info)));
      batch.add(SYS_rt_sigqueueinfo, {pid, static_cast<std::uint64_t>(signal), address},
                "queueing signal " + std::to_string(signal));
    }
    batch.run();
  }
  for (const auto& thread : process.model->threads()) {
    const auto tid = process.threads.find(thread.tid());
    if (tid == process.threads.end()) continue;
    std::vector<const std::string*> signals;
    // It was about to be delivered: the queue gives it back first, since nothing blocks it.
    if (thread.stop_signal() != 0) signals.push_back(&thread.stop_siginfo());
    for (const auto& info : thread.pending_signals()) signals.push_back(&info);
    if (signals.empty()) continue;
    CallBatch batch(process.puppet, tid->second);
    for (const auto* info : signals) {
      const int signal = number_of(*info);
      if (!is_queueable(signal)) continue;
      const auto address = batch.put(std::as_bytes(std::span(*info)));
      batch.add(SYS_rt_tgsigqueueinfo,
                {pid, static_cast<std::uint64_t>(inner_tid(thread)),
                 static_cast<std::uint64_t>(signal), address},
                "queueing signal " + std::to_string(signal) + " for a thread");
    }
    batch.run();
  }
}

}  // namespace icecore::replay
