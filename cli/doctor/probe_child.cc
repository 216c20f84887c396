// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/probe_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/error.h"

namespace icecore::cli::doctor {
namespace {

int fork_or_throw() {
  const int pid = ::fork();
  if (pid < 0) throw_errno("fork");
  return pid;
}

int wait_for(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw_errno("waitpid " + std::to_string(pid));
  }
  return status;
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

ProbeChild::ProbeChild() : pid_(fork_or_throw()) {
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (true) ::pause();
}

ProbeChild::~ProbeChild() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

ProbeOrphan::ProbeOrphan() {
  Pipe lifeline = make_pipe();
  Pipe news = make_pipe();
  const int parent = fork_or_throw();
  if (parent == 0) {
    if (::fork() != 0) ::_exit(0);
    lifeline.write.reset();
    const int self = ::getpid();
    if (::write(news.write.get(), &self, sizeof self) != sizeof self) ::_exit(1);
    char byte = 0;
    while (::read(lifeline.read.get(), &byte, 1) < 0 && errno == EINTR) {
    }
    ::_exit(0);
  }
  (void)wait_for(parent);
  news.write.reset();
  if (::read(news.read.get(), &pid_, sizeof pid_) != sizeof pid_) throw_errno("fork twice");
  lifeline_ = std::move(lifeline.write);
}

int run_in_child(int (*body)()) {
  const int pid = fork_or_throw();
  if (pid == 0) ::_exit(body());
  const int status = wait_for(pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

}  // namespace icecore::cli::doctor
