// SPDX-License-Identifier: Apache-2.0
#include "cli/copy_crew.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>

#include "base/error.h"
#include "cli/error_report.h"

namespace icecore::cli {
namespace {

constexpr std::array kPassedOn = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH};

/// Never returns to the caller's frames, which are the parent's.
[[noreturn]] void run_child(int number, const CopyCrew::Work& work, int starts) {
  int status = static_cast<int>(ExitStatus::Failed);
  try {
    status = work(number, [starts](int pid) {
      const std::int32_t told = pid;
      if (::write(starts, &told, sizeof told) != sizeof told) throw_errno("tell the pid");
    });
  } catch (const Error& error) {
    std::cerr << error_report(error) << std::flush;
    status = static_cast<int>(error.exit_status());
  } catch (const std::exception& error) {
    std::cerr << error_report(Error(error.what())) << std::flush;
  }
  ::_exit(status);
}

}  // namespace

CopyCrew::CopyCrew(int count, const Work& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe");
  starts_.reset(ends[0]);
  ::fcntl(starts_.get(), F_SETFL, O_NONBLOCK);
  const UniqueFd report(ends[1]);
  // Before there is a child whose end could be missed. The children keep them blocked, as a copy
  // in the foreground does anyway.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  for (const int signal : kPassedOn) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) throw_errno("signalfd");
  for (int number = 1; number <= count; ++number) {
    const int pid = ::fork();
    if (pid < 0) throw_errno("fork");
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      run_child(number, work, report.get());
    }
    children_.push_back(pid);
  }
}

CopyCrew::~CopyCrew() {
  for (const int pid : children_) ::kill(pid, SIGKILL);
  for (const int pid : children_) ::waitpid(pid, nullptr, 0);
}

std::vector<int> CopyCrew::wait_until_started() {
  std::vector<int> pids;
  const std::size_t count = children_.size();
  while (pids.size() < count) {
    std::array<pollfd, 2> ready{{{starts_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), -1);
    std::int32_t pid = 0;
    while (::read(starts_.get(), &pid, sizeof pid) == sizeof pid) pids.push_back(pid);
    take_signals();
    if (children_.size() < count && pids.size() < count) {
      throw Error("not all copies could be started; those that were have been ended");
    }
  }
  return pids;
}

void CopyCrew::take_children() {
  int status = 0;
  for (int pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (std::erase(children_, pid) == 0) continue;
    constexpr int kSignalled = 128;
    const int code = WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
    if (status_ == 0) status_ = code;
  }
}

void CopyCrew::take_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    const auto number = static_cast<int>(signal.ssi_signo);
    if (number == SIGCHLD) continue;
    for (const int pid : children_) ::kill(pid, number);
  }
  take_children();
}

int CopyCrew::wait() {
  while (!children_.empty()) {
    pollfd ready{signals_.get(), POLLIN, 0};
    ::poll(&ready, 1, -1);
    take_signals();
  }
  return status_;
}

}  // namespace icecore::cli
