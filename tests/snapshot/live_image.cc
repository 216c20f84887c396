// SPDX-License-Identifier: Apache-2.0
#include "tests/snapshot/live_image.h"

#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "snapshot/capture/machine.h"
#include "snapshot/symbols/build_id.h"

namespace icecore::test {
namespace {

constexpr int kDeadlineMs = 20000;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

model::Mapping parse_mapping(const std::string& line) {
  std::uint64_t start = 0, end = 0, offset = 0, inode = 0;
  unsigned major = 0, minor = 0;
  char flags[5] = {};
  int name = 0;
  if (std::sscanf(line.c_str(), "%lx-%lx %4s %lx %x:%x %lu %n", &start, &end, flags, &offset,
                  &major, &minor, &inode, &name) < 7) {
    throw Error("cannot parse " + line);
  }
  model::Mapping mapping;
  mapping.set_start(start);
  mapping.set_end(end);
  mapping.set_readable(flags[0] == 'r');
  mapping.set_writable(flags[1] == 'w');
  mapping.set_executable(flags[2] == 'x');
  mapping.set_shared(flags[3] == 's');
  mapping.set_offset(offset);
  mapping.set_device(gnu_dev_makedev(major, minor));
  mapping.set_inode(inode);
  mapping.set_name(line.substr(static_cast<std::size_t>(name)));
  if (mapping.name() == "[vvar]" || mapping.name() == "[vsyscall]") {
    mapping.set_content(model::Mapping::KERNEL);
  }
  return mapping;
}

}  // namespace

std::string LiveVictim::path(const std::string& name) {
  return name.starts_with('/') ? name : std::string(ICECORE_VICTIM_DIR) + "/" + name;
}

LiveVictim::LiveVictim(const std::string& name) {
  int input[2], output[2];
  if (::pipe2(input, O_CLOEXEC) != 0 || ::pipe2(output, O_CLOEXEC) != 0) throw_errno("pipe");
  const std::string program = path(name);
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(input[0], STDIN_FILENO);
    ::dup2(output[1], STDOUT_FILENO);
    ::execl(program.c_str(), program.c_str(), nullptr);
    ::_exit(127);
  }
  UniqueFd(input[0]).reset();
  UniqueFd(output[1]).reset();
  to_child_.reset(input[1]);
  from_child_.reset(output[0]);
  expect_line("READY");
  wait_until_blocked();
}

LiveVictim::~LiveVictim() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void LiveVictim::command(const std::string& word) {
  const std::string line = word + "\n";
  if (::write(to_child_.get(), line.data(), line.size()) < 0) throw_errno("write to the victim");
  expect_line("DONE");
  wait_until_blocked();
}

// It has still to come back from writing its answer to waiting for stdin, its other threads to a
// futex.
void LiveVictim::wait_until_blocked() const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kDeadlineMs);
  const std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
  const auto is_blocked = [&](const std::filesystem::directory_entry& task) {
    const bool is_main = task.path().filename() == std::to_string(pid_);
    const std::string waiting = std::to_string(is_main ? SYS_read : SYS_futex) + " 0x";
    return read_file(task.path() / "syscall").starts_with(waiting);
  };
  while (!std::all_of(std::filesystem::directory_iterator(tasks), {}, is_blocked)) {
    if (std::chrono::steady_clock::now() > deadline) throw Error("the victim does not wait");
    ::sched_yield();
  }
}

void LiveVictim::expect_line(const std::string& wanted) {
  std::string line;
  while (true) {
    pollfd poll{.fd = from_child_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&poll, 1, kDeadlineMs) <= 0) throw Error("the victim is silent, not " + wanted);
    char byte = 0;
    if (::read(from_child_.get(), &byte, 1) <= 0) throw Error("the victim ended, not " + wanted);
    if (byte != '\n') line += byte;
    if (byte == '\n' && line == wanted) return;
    if (byte == '\n') throw Error("the victim said " + line + ", not " + wanted);
  }
}

LiveImage::LiveImage(pid_t pid) {
  process_.set_pid(pid);
  snapshot::capture_machine(machine_);
  stop_threads();
  const std::string proc = "/proc/" + std::to_string(pid);
  memory_.reset(::open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  if (!memory_.valid()) throw_errno("open " + proc + "/mem");
  process_.set_auxv(read_file(proc + "/auxv"));
  process_.set_command_line(read_file(proc + "/cmdline"));
  process_.set_executable(std::filesystem::read_symlink(proc + "/exe").string());
  std::string comm = read_file(proc + "/comm");
  process_.set_comm(comm.substr(0, comm.find('\n')));
  process_.set_parent_pid(::getpid());
  process_.set_process_group(::getpgid(pid));
  process_.set_session(::getsid(pid));
  std::istringstream maps(read_file(proc + "/maps"));
  for (std::string line; std::getline(maps, line);) *process_.add_mappings() = parse_mapping(line);
  for (const pid_t tid : threads_) capture_thread(tid);
}

LiveImage::~LiveImage() {
  for (const pid_t tid : threads_) ::ptrace(PTRACE_DETACH, tid, nullptr, nullptr);
}

// New threads may appear until the last one is stopped, so the list is read until nothing is new.
void LiveImage::stop_threads() {
  const std::string tasks = "/proc/" + std::to_string(process_.pid()) + "/task";
  for (bool found = true; found;) {
    found = false;
    for (const auto& entry : std::filesystem::directory_iterator(tasks)) {
      const pid_t tid = std::stoi(entry.path().filename().string());
      if (std::ranges::find(threads_, tid) != threads_.end()) continue;
      if (::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) throw_errno("ptrace seize");
      ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
      if (::waitpid(tid, nullptr, __WALL) != tid) throw_errno("wait for the thread to stop");
      threads_.push_back(tid);
      found = true;
    }
  }
  std::ranges::sort(threads_);
}

void LiveImage::capture_thread(pid_t tid) {
  model::Thread& thread = *process_.add_threads();
  thread.set_tid(tid);
  user_regs_struct registers{};
  if (::ptrace(PTRACE_GETREGS, tid, nullptr, &registers) != 0) throw_errno("PTRACE_GETREGS");
  thread.set_registers(&registers, sizeof registers);
  std::string xstate(16384, '\0');
  iovec vector{.iov_base = xstate.data(), .iov_len = xstate.size()};
  if (::ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &vector) != 0) throw_errno("NT_X86_XSTATE");
  xstate.resize(vector.iov_len);
  thread.set_xstate(xstate);
  std::uint64_t mask = 0;
  if (::ptrace(PTRACE_GETSIGMASK, tid, sizeof mask, &mask) == 0) thread.set_signal_mask(mask);
  thread.set_state("S");
}

std::size_t LiveImage::read_memory(std::uint64_t address, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::pread(memory_.get(), out.data() + done, out.size() - done,
                                  static_cast<off_t>(address + done));
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

UniqueFd LiveImage::open_module(const model::Mapping& mapping) const {
  return UniqueFd(::open(mapping.name().c_str(), O_RDONLY | O_CLOEXEC));
}

UniqueFd LiveImage::open_debug(const model::Mapping& mapping) const {
  if (debug_directory.empty()) return {};
  const UniqueFd module = open_module(mapping);
  if (!module.valid()) return {};
  return symbols::find_debug_file(module.get(), mapping.name(), debug_directory).fd;
}

}  // namespace icecore::test
