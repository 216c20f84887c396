// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/attachable.h"

#include <elf.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/capture/process_state.h"
#include "snapshot/proc/status.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

std::string named(int pid, const std::string& name) {
  return "process " + std::to_string(pid) + " (" + name + ")";
}

std::string user_name(unsigned uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(uid);
}

Error explained(Error error, std::string why, std::string hint) {
  error.set_why(std::move(why)).set_hint(std::move(hint));
  return error;
}

Error no_such_process(int pid) {
  return explained(Error("process " + std::to_string(pid) + ": no such process"),
                   "it does not exist, or has ended and was waited for",
                   "pgrep -a NAME finds the pid of a running program");
}

std::optional<Error> check_kind(const ProcDirectory& directory, const proc::Status& status) {
  const int pid = directory.pid();
  const std::string name = named(pid, directory.stat().name);
  if (status.thread_group != pid) {
    return explained(Error(std::to_string(pid) + " (" + directory.stat().name +
                           ") is a thread of process " + std::to_string(status.thread_group)),
                     "snapshots are taken of whole processes",
                     "use pid " + std::to_string(status.thread_group));
  }
  if (directory.stat().kernel_thread()) {
    return explained(Refused(name + " is a kernel thread"),
                     "kernel threads have no memory and no program of their own",
                     "choose a process that runs a program");
  }
  if (directory.stat().state == 'Z' && directory.stat().threads <= 1) {
    return explained(Error(name + " has ended already"),
                     "it is a zombie that waits for its parent, process " +
                         std::to_string(directory.stat().parent) + ", to take note",
                     "choose a process that runs");
  }
  return std::nullopt;
}

std::optional<Error> check_ancestry(const ProcDirectory& directory) {
  const int pid = directory.pid();
  const std::string name = named(pid, directory.stat().name);
  if (pid == ::getpid()) {
    return explained(Refused(name + " is icecore itself"),
                     "a process cannot freeze itself and go on working", "choose another pid");
  }
  for (int ancestor = ::getppid(); ancestor > 0;) {
    if (ancestor == pid) {
      return explained(Refused(name + " is an ancestor of icecore"),
                       "its tree holds icecore itself, which would freeze with it",
                       "start icecore from a terminal or session outside of that tree");
    }
    const auto next = ProcDirectory::open(ancestor);
    ancestor = next ? next->stat().parent : 0;
  }
  return std::nullopt;
}

std::optional<Error> check_tracer(const ProcDirectory& directory, const proc::Status& status) {
  if (status.tracer == 0 || status.tracer == ::getpid()) return std::nullopt;
  const auto tracer = ProcDirectory::open(status.tracer);
  const std::string who = named(status.tracer, tracer ? tracer->stat().name : "gone by now");
  return explained(
      Error(named(directory.pid(), directory.stat().name) + " is already traced by " + who),
      "a process can have one tracer only, such as gdb, strace or another icecore",
      "let that tracer detach, or end it: kill " + std::to_string(status.tracer));
}

std::string yama_scope() {
  std::string scope = ProcDirectory::read_file("/proc/sys/kernel/yama/ptrace_scope");
  while (scope.ends_with('\n')) scope.pop_back();
  return scope;
}

Error undumpable_error(const std::string& name) {
  return explained(Refused(name + " asked not to be dumped"),
                   "it called prctl(PR_SET_DUMPABLE, 0) or runs a set-user-id program: its memory "
                   "may hold secrets that a snapshot would keep",
                   "add --allow-undumpable if you may keep them");
}

std::optional<Error> check_permission(const ProcDirectory& directory, const proc::Status& status) {
  // The kernel itself decides: opening mem asks for the right to trace.
  if (directory.open_file("mem", O_RDONLY).valid()) return std::nullopt;
  if (errno != EACCES && errno != EPERM) return std::nullopt;
  const std::string name = named(directory.pid(), directory.stat().name);
  if (::geteuid() != status.uids[0]) {
    return explained(Error(name + " belongs to " + user_name(status.uids[0]), EPERM),
                     "tracing a process of another user needs the capability CAP_SYS_PTRACE",
                     "sudo icecore ...");
  }
  if (read_dumpable(directory.shared_tid()) != 1) return undumpable_error(name);
  if (const std::string scope = yama_scope(); !scope.empty() && scope != "0") {
    return explained(Error(name + " may not be traced", EPERM),
                     "/proc/sys/kernel/yama/ptrace_scope is " + scope +
                         ", which allows a process to trace its own children only",
                     "sudo sysctl kernel.yama.ptrace_scope=0, or start it by: icecore run -- ...");
  }
  return explained(Error(name + " may not be traced", EPERM),
                   "it has capabilities or a user namespace that icecore has not, or a security "
                   "module forbids it",
                   "sudo icecore ...");
}

std::optional<Error> check_program(const ProcDirectory& directory) {
  const UniqueFd program = directory.open_file("exe", O_RDONLY);
  unsigned char header[EI_NIDENT];
  if (!program.valid() || ::pread(program.get(), header, sizeof header, 0) != EI_NIDENT) {
    return std::nullopt;
  }
  if (header[EI_CLASS] != ELFCLASS32) return std::nullopt;
  return explained(Refused(named(directory.pid(), directory.stat().name) + " is a 32-bit program"),
                   "icecore holds registers and addresses of 64-bit x86 programs only",
                   "run a 64-bit build of " + directory.read_link("exe").value_or("it"));
}

}  // namespace

std::vector<Error> attach_obstacles(int pid, Undumpable undumpable) {
  const auto directory = pid > 0 ? ProcDirectory::open(pid) : std::nullopt;
  const auto text = directory ? directory->read("status") : std::nullopt;
  if (!text) return {no_such_process(pid)};
  const proc::Status status = proc::parse_status(*text);
  std::vector<Error> obstacles;
  const auto note = [&](std::optional<Error> error) {
    if (error) obstacles.push_back(std::move(*error));
  };
  note(check_kind(*directory, status));
  if (!obstacles.empty()) return obstacles;  // the rest would not be true of it
  note(check_ancestry(*directory));
  note(check_tracer(*directory, status));
  note(check_permission(*directory, status));
  note(check_program(*directory));

  if (undumpable == Undumpable::Refuse && directory->open_file("mem", O_RDONLY).valid() &&
      read_dumpable(directory->shared_tid()) == 0) {
    obstacles.push_back(undumpable_error(named(pid, directory->stat().name)));
  }
  return obstacles;
}

void require_attachable(int pid, Undumpable undumpable) {
  const std::vector<Error> obstacles = attach_obstacles(pid, undumpable);
  if (!obstacles.empty()) throw obstacles.front();
}

}  // namespace icecore::snapshot
