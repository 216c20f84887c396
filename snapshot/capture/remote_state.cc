// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/remote_state.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "snapshot/capture/seccomp_filters.h"
#include "snapshot/tracing/kernel_signal.h"

namespace icecore::snapshot {
namespace {

/// Collects calls whose results land in scratch memory, runs them at once and hands each its bytes.
class Batch {
 public:
  explicit Batch(RemoteProcess& remote) : remote_(remote), bytes_(RemoteProcess::kScratchSize) {}

  using Reader = std::function<void(std::int64_t result, const std::byte* out)>;
  /// `out_argument`: which argument is to point at `size` bytes for the answer; -1 for none.
  void add(RemoteCall call, int out_argument, std::size_t size, Reader reader) {
    if (used_ + size > bytes_.size()) return;
    if (out_argument >= 0) {
      call.arguments[static_cast<std::size_t>(out_argument)] = remote_.scratch() + used_;
    }
    calls_.push_back(call);
    readers_.emplace_back(used_, std::move(reader));
    used_ += (size + 7) / 8 * 8;
  }

  void run(int tid, int cpu) {
    if (!remote_.run(tid, cpu, calls_)) return;
    if (used_ > 0 && !remote_.read(remote_.scratch(), std::span(bytes_).first(used_))) return;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].result == RemoteCall::kNotMade) continue;
      readers_[i].second(calls_[i].result, bytes_.data() + readers_[i].first);
    }
  }

 private:
  RemoteProcess& remote_;
  std::vector<std::byte> bytes_;
  std::vector<RemoteCall> calls_;
  std::vector<std::pair<std::size_t, Reader>> readers_;
  std::size_t used_ = 0;
};

template <typename Struct>
Struct read_struct(const std::byte* bytes) {
  Struct value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

void ask_actions(Batch& batch, std::uint64_t interesting, model::Process& process) {
  for (int signal = 1; signal <= 64; ++signal) {
    if ((interesting & (1ULL << static_cast<unsigned>(signal - 1))) == 0) continue;
    batch.add({SYS_rt_sigaction, {static_cast<std::uint64_t>(signal), 0, 0, kKernelMaskSize}, 0}, 2,
              sizeof(KernelSigaction),
              [&process, signal](std::int64_t result, const std::byte* out) {
                const auto action = read_struct<KernelSigaction>(out);
                if (result != 0 || (action.handler == 0 && action.flags == 0)) return;
                auto* row = process.add_actions();
                row->set_signal(signal);
                row->set_handler(action.handler);
                row->set_flags(action.flags);
                row->set_restorer(action.restorer);
                row->set_mask(action.mask);
              });
  }
}

void ask_timers(Batch& batch, model::Process& process) {
  for (const int which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    batch.add({SYS_getitimer, {static_cast<std::uint64_t>(which)}, 0}, 1, sizeof(itimerval),
              [&process, which](std::int64_t result, const std::byte* out) {
                const auto timer = read_struct<itimerval>(out);
                const auto us = [](const timeval& time) {
                  return static_cast<std::uint64_t>(time.tv_sec * 1'000'000 + time.tv_usec);
                };
                if (result != 0 || (us(timer.it_value) == 0 && us(timer.it_interval) == 0)) return;
                auto* row = process.add_interval_timers();
                row->set_which(which);
                row->set_interval_us(us(timer.it_interval));
                row->set_value_us(us(timer.it_value));
              });
  }
  for (int i = 0; i < process.posix_timers_size(); ++i) {
    auto* timer = process.mutable_posix_timers(i);
    const auto id = static_cast<std::uint64_t>(timer->id());
    batch.add({SYS_timer_gettime, {id}, 0}, 1, sizeof(itimerspec),
              [timer](std::int64_t result, const std::byte* out) {
                if (result != 0) return;
                const auto value = read_struct<itimerspec>(out);
                const auto ns = [](const timespec& time) {
                  return static_cast<std::uint64_t>(time.tv_sec * 1'000'000'000 + time.tv_nsec);
                };
                timer->set_interval_ns(ns(value.it_interval));
                timer->set_remaining_ns(ns(value.it_value));
              });
    batch.add({SYS_timer_getoverrun, {id}, 0}, -1, 0,
              [timer](std::int64_t result, const std::byte*) {
                if (result >= 0) timer->set_overrun(static_cast<int>(result));
              });
  }
}

void ask_process_flags(Batch& batch, model::Process& process) {
  // brk(0) answers where the heap ends; /proc only knows where it starts.
  batch.add({SYS_brk, {0}, 0}, -1, 0, [&process](std::int64_t result, const std::byte*) {
    process.mutable_layout()->set_brk(static_cast<std::uint64_t>(result));
  });
  batch.add({SYS_prctl, {PR_GET_DUMPABLE}, 0}, -1, 0,
            [&process](std::int64_t result, const std::byte*) {
              process.set_dumpable(static_cast<int>(result));
            });
  batch.add({SYS_prctl, {PR_GET_CHILD_SUBREAPER}, 0}, 1, sizeof(int),
            [&process](std::int64_t result, const std::byte* out) {
              process.set_child_subreaper(result == 0 && read_struct<int>(out) != 0);
            });
  batch.add(
      {SYS_prctl, {PR_GET_THP_DISABLE}, 0}, -1, 0,
      [&process](std::int64_t result, const std::byte*) { process.set_thp_disabled(result > 0); });
  batch.add({SYS_prctl, {PR_GET_SECUREBITS}, 0}, -1, 0,
            [&process](std::int64_t result, const std::byte*) {
              if (result >= 0) {
                process.mutable_credentials()->set_securebits(static_cast<unsigned>(result));
              }
            });
}

void ask_thread(Batch& batch, model::Thread& thread) {
  batch.add({SYS_sigaltstack, {0}, 0}, 1, sizeof(KernelAltStack),
            [&thread](std::int64_t result, const std::byte* out) {
              if (result != 0) return;
              const auto stack = read_struct<KernelAltStack>(out);
              auto* row = thread.mutable_altstack();
              row->set_known(true);
              row->set_address(stack.address);
              row->set_size(stack.size);
              row->set_flags(static_cast<unsigned>(stack.flags));
            });
  batch.add({SYS_prctl, {PR_GET_TID_ADDRESS}, 0}, 1, sizeof(std::uint64_t),
            [&thread](std::int64_t result, const std::byte* out) {
              if (result == 0) thread.set_clear_child_tid(read_struct<std::uint64_t>(out));
            });
  batch.add({SYS_prctl, {PR_GET_TIMERSLACK}, 0}, -1, 0,
            [&thread](std::int64_t result, const std::byte*) {
              if (result > 0) thread.set_timer_slack_ns(static_cast<std::uint64_t>(result));
            });
  batch.add({SYS_prctl, {PR_GET_PDEATHSIG}, 0}, 1, sizeof(int),
            [&thread](std::int64_t result, const std::byte* out) {
              if (result == 0) thread.set_pdeath_signal(read_struct<int>(out));
            });
}

}  // namespace

void capture_remote_state(RemoteProcess& remote, std::uint64_t caught, std::uint64_t ignored,
                          model::Process& process) {
  constexpr std::uint64_t kSigchld = 1ULL << static_cast<unsigned>(SIGCHLD - 1);
  // The tracer moves to each thread's CPU: from one CPU to the next once, not with every thread.
  std::vector<model::Thread*> threads;
  for (auto& thread : *process.mutable_threads()) {
    if (!thread.xstate().empty()) threads.push_back(&thread);  // those that we hold
  }
  std::ranges::stable_sort(threads, {}, [](const auto* thread) { return thread->cpu(); });
  for (auto* thread : threads) {
    const unsigned seccomp = seccomp_mode(process, *thread);
    if (seccomp != 0) remote.mind_seccomp(thread->tid(), static_cast<int>(seccomp));
    Batch batch(remote);
    if (thread->tid() == remote.driver()) {
      ask_actions(batch, caught | ignored | kSigchld, process);
      ask_timers(batch, process);
      ask_process_flags(batch, process);
    }
    ask_thread(batch, *thread);
    batch.run(thread->tid(), thread->cpu());
  }
  process.set_sigactions_known(remote.gate().closed().empty());
}

}  // namespace icecore::snapshot
