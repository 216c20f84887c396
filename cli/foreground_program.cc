// SPDX-License-Identifier: Apache-2.0
#include "cli/foreground_program.h"

#include <poll.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/error.h"

namespace icecore::cli {
namespace {

sigset_t awaited_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

/// SIGCHLD is for another thread, should that trace processes: blocked here, and left alone.
sigset_t handled_signals() {
  sigset_t signals = awaited_signals();
  sigaddset(&signals, SIGCHLD);
  return signals;
}

pid_t start(const std::vector<std::string>& command, const sigset_t& mask) {
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  const sigset_t defaults = handled_signals();
  ::posix_spawnattr_setsigmask(&attributes, &mask);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = -1;
  const int failure = ::posix_spawn(&pid, words[0], nullptr, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (failure != 0) throw_errno("start " + command.front(), failure);
  return pid;
}

}  // namespace

ForegroundProgram::ForegroundProgram() {
  const sigset_t signals = handled_signals();
  ::sigprocmask(SIG_BLOCK, &signals, &original_);
  const sigset_t awaited = awaited_signals();
  signals_.reset(::signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) throw_errno("signalfd");
}

ForegroundProgram::~ForegroundProgram() { ::sigprocmask(SIG_SETMASK, &original_, nullptr); }

int ForegroundProgram::run(const std::vector<std::string>& command) {
  return wait(start(command, original_));
}

int ForegroundProgram::wait(pid_t pid) const {
  const UniqueFd end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!end.valid()) throw_errno("pidfd_open");
  while (true) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    std::array<pollfd, 2> awaited{{{end.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    ::poll(awaited.data(), awaited.size(), -1);
    signalfd_siginfo signal{};
    if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) continue;
    // The keyboard's SIGINT and SIGQUIT have reached the program by themselves.
    const auto number = static_cast<int>(signal.ssi_signo);
    if (number == SIGTERM || number == SIGHUP) ::kill(pid, number);
  }
}

}  // namespace icecore::cli
