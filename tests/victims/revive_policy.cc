// SPDX-License-Identifier: Apache-2.0
// Limits, priorities, rights, and what /proc/self/status and its neighbours tell of them.
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>

#include "revive_case.h"

namespace {

std::string status() {
  std::istringstream lines(revive::read_file("/proc/self/status"));
  std::string text;
  std::string line;
  while (std::getline(lines, line)) {
    for (const std::string name :
         {"Name", "Umask", "Uid", "Gid", "Groups", "SigIgn", "SigCgt", "SigBlk", "CapInh", "CapPrm",
          "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp:", "Cpus_allowed_list",
          "CoreDumping", "THP_enabled"}) {
      if (line.starts_with(name)) text += line + "\n";
    }
  }
  for (const std::string file : {"limits", "personality", "oom_score_adj", "coredump_filter",
                                 "cmdline", "comm", "timerslack_ns", "auxv"}) {
    text += file + ": " + revive::read_file("/proc/self/" + file) + "\n";
  }
  std::array<char, 4096> link{};
  for (const std::string name : {"exe", "cwd", "root"}) {
    const ssize_t size = ::readlink(("/proc/self/" + name).c_str(), link.data(), link.size());
    text += name + ": " + std::string(link.data(), static_cast<std::size_t>(size)) + "\n";
  }
  text += "nice " + std::to_string(::getpriority(PRIO_PROCESS, 0)) + " policy " +
          std::to_string(::sched_getscheduler(0)) + " io " +
          std::to_string(::syscall(SYS_ioprio_get, 1, 0)) + " dumpable " +
          std::to_string(::prctl(PR_GET_DUMPABLE)) + " securebits " +
          std::to_string(::prctl(PR_GET_SECUREBITS)) + " pdeath ";
  int signal = 0;
  ::prctl(PR_GET_PDEATHSIG, &signal);
  return text + std::to_string(signal) + "\n";
}

}  // namespace

int main(int argc, char** argv) {
  revive::begin(argv);
  ::umask(027);
  const rlimit files{100, 200};
  ::setrlimit(RLIMIT_NOFILE, &files);
  const rlimit core{0, 0};
  ::setrlimit(RLIMIT_CORE, &core);
  ::setpriority(PRIO_PROCESS, 0, 5);
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
  ::setpriority(PRIO_PROCESS, 0, 5);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(0, &cpus);
  ::sched_setaffinity(0, sizeof cpus, &cpus);
  ::syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6);
  ::personality(ADDR_NO_RANDOMIZE);
  std::ofstream("/proc/self/oom_score_adj") << 300 << std::flush;
  std::ofstream("/proc/self/coredump_filter") << "0x7f" << std::flush;
  ::prctl(PR_SET_NAME, "a new name");
  ::prctl(PR_SET_TIMERSLACK, 123456UL);
  if (argc > 2 && std::string(argv[2]) == "user") {
    const std::array<gid_t, 3> groups{10, 20, 30};
    ::setgroups(groups.size(), groups.data());
    if (::setresgid(1000, 1001, 1002) != 0 || ::setresuid(65534, 65534, 65534) != 0) return 2;
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_DUMPABLE, 1);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGUSR1);
  if (::chdir("/tmp") != 0) return 2;
  const std::string before = status();
  revive::ready();
  revive::wait_for_go();
  const std::string after = status();
  if (after != before) {
    std::istringstream a(before);
    std::istringstream b(after);
    std::string x, y;
    while (std::getline(a, x), std::getline(b, y), a && b) {
      if (x != y) revive::differs("was " + x + "\n is " + y);
    }
  }
  revive::finish();
}
