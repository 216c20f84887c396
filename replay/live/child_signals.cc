// SPDX-License-Identifier: Apache-2.0
#include "replay/live/child_signals.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "base/clock.h"
#include "base/error.h"

namespace icecore::replay {
namespace {

sigset_t child_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return set;
}

}  // namespace

ChildSignals::ChildSignals() {
  const sigset_t set = child_signal();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signal_.valid()) throw_errno("signalfd");
  known_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!known_.valid()) throw_errno("eventfd");
  both_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!both_.valid()) throw_errno("epoll_create1");
  epoll_event event{};
  event.events = EPOLLIN;
  for (const int fd : {signal_.get(), known_.get()}) {
    if (::epoll_ctl(both_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl");
  }
}

std::optional<ChildSignals::Status> ChildSignals::next() {
  Status result;
  // Not of other threads: a debugger in the foreground is waited for by its own.
  result.tid = ::waitpid(-1, &result.status, __WALL | __WNOTHREAD | WNOHANG);
  if (result.tid <= 0) return std::nullopt;
  return result;
}

std::optional<ChildSignals::Status> ChildSignals::next_of(int tid) {
  Status result{tid, 0};
  const int got = ::waitpid(tid, &result.status, __WALL | WNOHANG);
  if (got == tid || (got < 0 && errno == ECHILD)) return result;
  return std::nullopt;
}

void ChildSignals::wait(std::chrono::nanoseconds timeout) {
  const timespec time{timeout.count() / kNsPerSecond, timeout.count() % kNsPerSecond};
  const sigset_t set = child_signal();
  ::sigtimedwait(&set, nullptr, &time);
}

void ChildSignals::announce() {
  const std::uint64_t one = 1;
  announced_ = ::write(known_.get(), &one, sizeof one) == sizeof one;
}

void ChildSignals::take_notice() {
  signalfd_siginfo signal{};
  while (::read(signal_.get(), &signal, sizeof signal) == sizeof signal) {
  }
  std::uint64_t count = 0;
  if (announced_ && ::read(known_.get(), &count, sizeof count) == sizeof count) announced_ = false;
}

}  // namespace icecore::replay
