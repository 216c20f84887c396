// SPDX-License-Identifier: Apache-2.0
#include "replay/live/trap_guard.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/signal_code.h"
#include "snapshot/tracing/stop_event.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

struct TrapGuard::Row {
  std::atomic<std::int32_t> pid;  ///< 0 while it is free; set last
  std::uint64_t address;
  std::byte original;
};

namespace {

constexpr std::size_t kRows = 16384;

UniqueFd open_memory(std::int32_t pid) {
  return UniqueFd(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC));
}

/// Until its dead tracer has let go of it.
bool seize(int tid) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < patience) {
    const auto outcome = ptrace_call::seize(tid, 0);
    if (outcome == ptrace_call::Seize::Done) return true;
    if (outcome == ptrace_call::Seize::Gone) return false;
    ::sched_yield();
  }
  return false;
}

/// What a stopped thread is to get when it is let go: not the trap of a watchpoint.
int signal_of(int tid, int status) {
  if (snapshot::stop_event_kind(status) != snapshot::StopEventKind::None) return 0;
  const int signal = WSTOPSIG(status);
  return signal == SIGTRAP && snapshot::signal_code(ptrace_call::siginfo(tid)) == TRAP_HWBKPT
             ? 0
             : signal;
}

}  // namespace

TrapGuard::Row& TrapGuard::row(std::size_t index) const {
  return reinterpret_cast<Row*>(list_.data())[index];
}

TrapGuard::TrapGuard() {
  constexpr std::size_t kSize = kRows * sizeof(Row);
  const UniqueFd memory(::memfd_create("icecore-traps", MFD_CLOEXEC));
  std::array<int, 2> ends{};
  if (!memory.valid() || ::ftruncate(memory.get(), kSize) != 0) throw_errno("memfd_create");
  list_ = MappedRegion::shared_file(memory.get(), kSize);
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe");
  const UniqueFd theirs(ends[0]);
  lifeline_.reset(ends[1]);
  guard_ = ::fork();
  if (guard_ < 0) throw_errno("fork");
  if (guard_ == 0) stand_by(theirs.get());
}

TrapGuard::~TrapGuard() {
  lifeline_.reset();
  while (::waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// In the guard: it holds nothing of ours open but the end of the lifeline, and no key press of our
/// terminal reaches it.
void TrapGuard::stand_by(int lifeline) {
  ::setsid();
  ::prctl(PR_SET_NAME, "icecore-guard");
  ::dup2(lifeline, STDIN_FILENO);
  ::close_range(STDIN_FILENO + 1, ~0U, 0);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR) {
  }
  try {
    make_whole();
  } catch (const std::exception&) {
    ::_exit(1);  // there is nobody to tell
  }
  ::_exit(0);
}

void TrapGuard::make_whole() {
  take_traps_out();
  end_watches();
}

void TrapGuard::take_traps_out() {
  for (std::size_t i = 0; i < kRows; ++i) {
    const Row& trap = row(i);
    const std::int32_t pid = trap.pid.load(std::memory_order_acquire);
    if (pid == 0 || trap.address == kWatches) continue;
    const UniqueFd memory = open_memory(pid);
    const auto address = static_cast<off_t>(trap.address);
    std::byte there{};
    if (::pread(memory.get(), &there, 1, address) != 1 || there != kInt3) continue;
    [[maybe_unused]] const auto done = ::pwrite(memory.get(), &trap.original, 1, address);
  }
}

/// Only a tracer can, which the guard becomes as soon as we have ceased to be.
void TrapGuard::end_watches() {
  for (std::size_t i = 0; i < kRows; ++i) {
    const std::int32_t pid = row(i).pid.load(std::memory_order_acquire);
    if (pid == 0 || row(i).address != kWatches) continue;
    for (const int tid : snapshot::task_ids(pid)) {
      int status = 0;
      if (!seize(tid) || !ptrace_call::interrupt(tid)) continue;
      if (::waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status)) continue;
      ptrace_call::set_debug_register(tid, 7, 0);
      ptrace_call::detach(tid, signal_of(tid, status));
    }
  }
}

void TrapGuard::keep(std::int32_t pid, std::uint64_t address, std::byte original) {
  const auto [place, added] = used_.try_emplace({pid, address}, 0);
  if (!added) return;
  for (std::size_t i = 0; i < kRows; ++i) {
    if (row(i).pid.load(std::memory_order_relaxed) != 0) continue;
    row(i).address = address;
    row(i).original = original;
    row(i).pid.store(pid, std::memory_order_release);
    place->second = i;
    return;
  }
  used_.erase(place);
  log(Topic::Tracing, "a breakpoint is not guarded: there are too many");
}

void TrapGuard::drop(std::int32_t pid, std::uint64_t address) {
  const auto found = used_.find({pid, address});
  if (found == used_.end()) return;
  row(found->second).pid.store(0, std::memory_order_release);
  used_.erase(found);
}

}  // namespace icecore::replay
