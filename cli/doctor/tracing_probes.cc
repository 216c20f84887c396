// SPDX-License-Identifier: Apache-2.0
// Can we stop processes and read what is in them?
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <fstream>

#include "cli/doctor/probe.h"
#include "cli/doctor/probe_child.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::cli::doctor {
namespace {

namespace ptrace_call = snapshot::ptrace_call;

Finding stop_and_read(int pid) {
  if (ptrace_call::seize(pid, 0) != ptrace_call::Seize::Done) {
    return fails("PTRACE_SEIZE of process " + std::to_string(pid) + ": not permitted");
  }
  if (!ptrace_call::interrupt(pid)) return fails("PTRACE_INTERRUPT: the process is gone");
  int status = 0;
  while (::waitpid(pid, &status, __WALL) < 0) {
    if (errno != EINTR) return fails_with_errno("wait for the stop");
  }
  const auto registers = ptrace_call::registers(pid);
  const auto xstate = ptrace_call::xstate(pid);
  ptrace_call::detach(pid, 0);
  if (!registers || !xstate) return fails("the registers cannot be read");
  return works("registers and " + std::to_string(xstate->size()) + " bytes of XSAVE state read");
}

Finding trace_child() {
  const ProbeChild child;
  return stop_and_read(child.pid());
}

Finding trace_other() {
  const ProbeOrphan orphan;
  const Finding finding = stop_and_read(orphan.pid());
  if (finding.works) return works();
  std::ifstream yama("/proc/sys/kernel/yama/ptrace_scope");
  std::string scope;
  if (yama >> scope) return fails(finding.detail + " (kernel.yama.ptrace_scope is " + scope + ")");
  return finding;
}

Finding suspend_seccomp() {
  const ProbeChild child;
  if (ptrace_call::seize(child.pid(), 0) != ptrace_call::Seize::Done) {
    return fails("PTRACE_SEIZE: not permitted");
  }
  try {
    ptrace_call::set_options(child.pid(), ptrace_call::kSuspendSeccomp);
  } catch (const std::exception& error) {
    return fails(error.what());
  }
  return works();
}

Finding read_memory() {
  const ProbeChild child;
  static const std::array<char, 16> kOriginal = {"icecore doctor."};
  std::array<char, 16> copy{};
  const iovec local{copy.data(), copy.size()};
  const iovec remote{const_cast<char*>(kOriginal.data()), kOriginal.size()};
  if (::process_vm_readv(child.pid(), &local, 1, &remote, 1, 0) < 0) {
    return fails_with_errno("process_vm_readv");
  }
  return copy == kOriginal ? works() : fails("process_vm_readv: read other bytes than were there");
}

Finding take_descriptor() {
  const ProbeChild child;
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid(), 0)));
  if (!pidfd.valid()) return fails_with_errno("pidfd_open");
  const UniqueFd taken(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd.get(), 2, 0)));
  return taken.valid() ? works() : fails_with_errno("pidfd_getfd");
}

Finding compare_descriptors() {
  const ProbeChild child;
  const long order = ::syscall(SYS_kcmp, ::getpid(), child.pid(), KCMP_FILE, 2, 2);
  if (order < 0) return fails_with_errno("kcmp");
  return order == 0 ? works() : fails("kcmp: a shared description compares as different");
}

Finding open_mapped_file() {
  const ProbeChild child;
  const std::string directory = "/proc/" + std::to_string(child.pid()) + "/map_files";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const UniqueFd file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    return file.valid() ? works() : fails_with_errno("open " + entry.path().string());
  }
  return fails(directory + ": " + (error ? error.message() : "empty"));
}

constexpr std::array kProbes = {
    Probe{"ptrace a child", Need::Required,
          "stops a tree that icecore started, reads its registers", "no snapshots at all",
          "run outside the sandbox or container whose seccomp filter forbids ptrace", trace_child},
    Probe{"ptrace any own process", Need::Useful, "attach and snap of processes that already run",
          "only programs started with `icecore run` can be snapshotted",
          "sudo sysctl kernel.yama.ptrace_scope=0, or run icecore as root", trace_other},
    Probe{"process_vm_readv", Need::Required, "copies memory out of the tree",
          "no snapshots at all", "run outside the sandbox whose seccomp filter forbids it",
          read_memory},
    Probe{"pidfd_getfd", Need::Useful,
          "looks at sockets, pipes and terminals of the tree through their own descriptors",
          "states of sockets and unread pipe data are not in the snapshots",
          "a kernel with pidfd_getfd (5.6 or newer), or a seccomp filter that permits it",
          take_descriptor},
    Probe{"kcmp", Need::Useful, "tells which descriptors share one open file",
          "descriptors that share an open file look like separate ones",
          "a kernel with CONFIG_KCMP", compare_descriptors},
    Probe{"map_files", Need::Useful, "reads mapped files even after they were deleted or replaced",
          "executables and libraries that were deleted are not kept with the snapshots",
          "run icecore as root, or with CAP_CHECKPOINT_RESTORE", open_mapped_file},
    Probe{"suspend seccomp", Need::Useful,
          "asks a process below a seccomp filter for its signal actions",
          "signal actions and exact dirty tracking are missing for processes with a seccomp filter",
          "run icecore as root (needs CAP_SYS_ADMIN)", suspend_seccomp},
};

}  // namespace

std::span<const Probe> tracing_probes() { return kProbes; }

}  // namespace icecore::cli::doctor
