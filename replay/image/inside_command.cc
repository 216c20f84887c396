// SPDX-License-Identifier: Apache-2.0
#include "replay/image/inside_command.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::replay {
namespace {

constexpr int kOurFailure = 125;
constexpr int kSignalled = 128;

int wait_for(int pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return kOurFailure;
  }
  return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
}

/// A PID namespace is entered by children only: one more in between.
[[noreturn]] void enter_and_run(int init, const char* command) {
  if (::setns(init, CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(kOurFailure);
  const int child = ::fork();
  if (child < 0) ::_exit(kOurFailure);
  if (child > 0) ::_exit(wait_for(child));
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
  ::_exit(kOurFailure);
}

}  // namespace

int run_inside(int init, const std::string& command, const std::vector<std::string>& environment) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, init, 0)));
  if (!process.valid()) throw_errno("run " + command + " in the copy's namespaces: pidfd_open");
  const int pid = ::fork();
  if (pid < 0) throw_errno("fork");
  if (pid == 0) {
    for (const auto& entry : environment) ::putenv(const_cast<char*>(entry.c_str()));
    enter_and_run(process.get(), command.c_str());
  }
  return wait_for(pid);
}

}  // namespace icecore::replay
