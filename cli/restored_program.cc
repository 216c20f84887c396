// SPDX-License-Identifier: Apache-2.0
#include "cli/restored_program.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "base/error.h"

namespace icecore::cli {
namespace {

sigset_t handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH}) {
    sigaddset(&signals, signal);
  }
  return signals;
}

}  // namespace

RestoredProgram::RestoredProgram() {
  const sigset_t signals = handled_signals();
  ::sigprocmask(SIG_BLOCK, &signals, &original_);
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) throw_errno("signalfd");
}

RestoredProgram::~RestoredProgram() { ::sigprocmask(SIG_SETMASK, &original_, nullptr); }

void RestoredProgram::take_signal(const replay::RestoredTree& tree) {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    // A key press reaches the tree by itself when it is in our process group.
    const auto number = static_cast<int>(signal.ssi_signo);
    if (number != SIGCHLD) ::kill(tree.root_pid, number);
  }
}

void RestoredProgram::take_reports(const replay::RestoredTree& tree) {
  std::array<std::int32_t, 2> report{};
  while (::read(tree.reports.get(), report.data(), sizeof report) == sizeof report) {
    if (report[0] == tree.inner_root) root_status_ = report[1];
  }
}

void RestoredProgram::take_children(const replay::RestoredTree& tree) {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG | __WALL)) > 0;) {
    if (tree.init_pid == 0 && pid == tree.root_pid) {
      root_status_ = status;
      ended_ = true;
    }
    if (pid == tree.init_pid) {
      if (!root_status_) root_status_ = status;
      ended_ = true;
    }
  }
  if (errno == ECHILD) ended_ = true;
}

int RestoredProgram::wait(const replay::RestoredTree& tree, Until until) {
  while (!ended_) {
    std::array<pollfd, 2> ready{{{signals_.get(), POLLIN, 0}, {tree.reports.get(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), -1);
    take_signal(tree);
    if (tree.reports.valid()) take_reports(tree);
    if (root_status_ && until == Until::RootEnds && !ended_) ::kill(tree.init_pid, SIGKILL);
    take_children(tree);
  }
  if (tree.reports.valid()) take_reports(tree);
  return root_status_.value_or(0);
}

}  // namespace icecore::cli
