// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

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

/// Between fork and exec: only calls that are safe there, and no exception.
[[noreturn]] void run_child(int go, int answer, char* const* arguments, const sigset_t& mask) {
  char byte = 0;
  while (::read(go, &byte, 1) < 0 && errno == EINTR) {
  }
  if (byte == 0) ::_exit(125);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execvp(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(answer, &error, sizeof error);
  ::_exit(error == ENOENT ? 127 : 126);
}

}  // namespace

LaunchedProgram::LaunchedProgram(const std::vector<std::string>& arguments, const sigset_t& mask) {
  Pipe go = make_pipe();
  Pipe answer = make_pipe();
  std::vector<char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("fork");
  if (pid_ == 0) {
    go.write.reset();
    run_child(go.read.get(), answer.write.get(), pointers.data(), mask);
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
