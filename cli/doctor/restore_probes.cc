// SPDX-License-Identifier: Apache-2.0
// Can a snapshot become living processes again?
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "cli/doctor/probe.h"
#include "cli/doctor/probe_child.h"

namespace icecore::cli::doctor {
namespace {

constexpr int kNewTimeNamespace = 0x80;  // CLONE_NEWTIME

/// clone3() of a child that exits at once, with the pid `wanted`; its pid or -1.
int clone_with_pid(pid_t wanted) {
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<std::uint64_t>(&wanted);
  arguments.set_tid_size = 1;
  const auto pid = static_cast<int>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid == 0) ::_exit(0);
  return pid;
}

Finding choose_pid() {
  // A pid that was free a moment ago can be taken by somebody else: then try the next.
  for (int attempt = 0; attempt < 8; ++attempt) {
    pid_t free_pid = 0;
    {
      const ProbeChild child;
      free_pid = child.pid();
    }
    const int pid = clone_with_pid(free_pid);
    if (pid >= 0) {
      (void)::waitpid(pid, nullptr, 0);
      return pid == free_pid ? works() : fails("clone3 gave another pid than was asked for");
    }
    if (errno != EEXIST) return fails_with_errno("clone3 with set_tid");
  }
  return fails("clone3 with set_tid: every pid was taken");
}

Finding from_child(int errno_value, const std::string& operation) {
  if (errno_value == 0) return works();
  errno = errno_value;
  return fails_with_errno(operation);
}

Finding own_time() {
  return from_child(run_in_child([] { return ::unshare(kNewTimeNamespace) == 0 ? 0 : errno; }),
                    "unshare(CLONE_NEWTIME)");
}

Finding own_namespaces() {
  const auto namespaces = [] {
    return ::unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) == 0 ? 0 : errno;
  };
  if (run_in_child(namespaces) == 0) return works();
  const int below_user = run_in_child([] {
    return ::unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) == 0 ? 0 : errno;
  });
  if (below_user == 0) return works("inside a user namespace of its own");
  return from_child(below_user, "unshare(CLONE_NEWUSER | CLONE_NEWPID | ...)");
}

constexpr std::array kProbes = {
    Probe{"choose pids", Need::Useful, "gives restored processes the pids that they had",
          "no restore outside a user namespace of its own",
          "run icecore as root, or with CAP_CHECKPOINT_RESTORE", choose_pid},
    Probe{"time namespaces", Need::Useful,
          "keeps the monotonic clock of restored processes from jumping",
          "timers of restored processes see the time that has passed since the snapshot",
          "a kernel with CONFIG_TIME_NS, and root", own_time},
    Probe{"PID, mount and net namespaces", Need::Useful,
          "lets a restored tree live beside the original and keeps it from doing harm",
          "restore only in place, when the original is gone",
          "sudo sysctl kernel.unprivileged_userns_clone=1, or run icecore as root", own_namespaces},
};

}  // namespace

std::span<const Probe> restore_probes() { return kProbes; }

}  // namespace icecore::cli::doctor
