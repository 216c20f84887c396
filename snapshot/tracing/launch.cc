// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/background_terminal_use.h"
#include "base/error.h"

namespace icecore::snapshot {
namespace {

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("pipe");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// What the child does with itself; errno in the result, 0 when all is done.
int prepare_child(const ProgramStart& start) {
  if (start.group == ProgramStart::Group::Own) {
    const bool foreground = ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
    ::setpgid(0, 0);
    const BackgroundTerminalUse use;
    if (foreground) ::tcsetpgrp(STDIN_FILENO, ::getpid());
  }
  if (start.streams == ProgramStart::Streams::Apart) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0) return errno;
    if (nothing != STDIN_FILENO) ::close(nothing);
    if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return errno;
  }
  if (start.address_space == ProgramStart::AddressSpace::Fixed) {
    ::personality(static_cast<unsigned long>(::personality(0xffffffff)) | ADDR_NO_RANDOMIZE);
  }
  const auto& directory = start.working_directory;
  if (!directory.empty() && ::chdir(directory.c_str()) != 0) return errno;
  ::sigprocmask(SIG_SETMASK, &start.mask, nullptr);
  return 0;
}

/// Between fork and exec: only calls that are safe there, and no exception.
[[noreturn]] void run_child(int go, int answer, char* const* arguments, char* const* environment,
                            const ProgramStart& start) {
  char byte = 0;
  while (::read(go, &byte, 1) < 0 && errno == EINTR) {
  }
  if (byte == 0) ::_exit(125);
  int error = prepare_child(start);
  if (error == 0) {
    ::execvpe(arguments[0], arguments, environment);
    error = errno;
  }
  [[maybe_unused]] const auto written = ::write(answer, &error, sizeof error);
  ::_exit(error == ENOENT ? 127 : 126);
}

ProgramStart plain_start(const std::vector<std::string>& arguments, const sigset_t& mask) {
  ProgramStart start;
  start.arguments = arguments;
  start.mask = mask;
  return start;
}

}  // namespace

LaunchedProgram::LaunchedProgram(const std::vector<std::string>& arguments, const sigset_t& mask)
    : LaunchedProgram(plain_start(arguments, mask)) {}

LaunchedProgram::LaunchedProgram(const ProgramStart& start) {
  Pipe go = make_pipe();
  Pipe answer = make_pipe();
  const auto arguments = pointers_to(start.arguments);
  const auto own = pointers_to(start.environment);
  char* const* environment = start.environment.empty() ? environ : own.data();
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("fork");
  if (pid_ == 0) {
    go.write.reset();
    run_child(go.read.get(), answer.write.get(), arguments.data(), environment, start);
  }
  go_ = std::move(go.write);
  answer_ = std::move(answer.read);
}

LaunchedProgram::~LaunchedProgram() {
  if (gone_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, __WALL);
}

void LaunchedProgram::let_go() {
  const char byte = 1;
  if (::write(go_.get(), &byte, 1) != 1) throw_errno("starting the program");
  go_.reset();
  gone_ = true;
}

int LaunchedProgram::exec_errno() {
  int error = 0;
  ssize_t got = 0;
  while ((got = ::read(answer_.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  answer_.reset();
  return got == sizeof error ? error : 0;
}

}  // namespace icecore::snapshot
