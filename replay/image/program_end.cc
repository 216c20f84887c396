// SPDX-License-Identifier: Apache-2.0
#include "replay/image/program_end.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::replay {
namespace {

/// Blocked while it lives, so that no end of a child is missed between a look and the wait.
class ChildSignals {
 public:
  ChildSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
    fd_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_.valid()) throw_errno("signalfd");
  }
  ChildSignals(const ChildSignals&) = delete;
  ChildSignals& operator=(const ChildSignals&) = delete;
  ~ChildSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  void take() const {
    signalfd_siginfo signal{};
    while (::read(fd_.get(), &signal, sizeof signal) == sizeof signal) continue;
  }

 private:
  sigset_t before_{};
  UniqueFd fd_;
};

using Dying = std::map<int, UniqueFd>;  // by pid: a pidfd, readable when it has ended

bool belongs(int pid, int session, const Dying& known) {
  if (::getsid(pid) == session) return true;
  const auto stat = snapshot::task_stat(pid, pid);
  return stat && (stat->parent == ::getpid() || known.contains(stat->parent));
}

/// Kills those that are not known yet; how many these were.
std::size_t kill_new(int session, Dying& known) {
  const std::size_t before = known.size();
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    int pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid <= 0 || known.contains(pid) || !belongs(pid, session, known)) continue;
    UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process.valid()) continue;
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    known.emplace(pid, std::move(process));
  }
  return known.size() - before;
}

/// Threads that we trace are told of one by one, and before their leader.
void reap() {
  while (::waitpid(-1, nullptr, __WALL | WNOHANG) > 0) continue;
}

bool has_ended(const UniqueFd& process) {
  pollfd ready{process.get(), POLLIN, 0};
  return ::poll(&ready, 1, 0) == 1;
}

void wait_for_all(Dying& dying, const ChildSignals& signals) {
  for (;;) {
    signals.take();
    reap();
    std::erase_if(dying, [](const auto& entry) { return has_ended(entry.second); });
    if (dying.empty()) break;
    std::vector<pollfd> ready{{signals.descriptor(), POLLIN, 0}};
    for (const auto& [pid, process] : dying) ready.push_back({process.get(), POLLIN, 0});
    ::poll(ready.data(), ready.size(), -1);
  }
  // An orphan becomes ours in the end of its parent, and may have ended before.
  reap();
}

}  // namespace

void end_session(int session) {
  const ChildSignals signals;
  Dying dying;
  // What a process has born before it was killed is found in the next round.
  while (kill_new(session, dying) > 0) continue;
  wait_for_all(dying, signals);
}

}  // namespace icecore::replay
