// SPDX-License-Identifier: Apache-2.0
#include "replay/image/starting_program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "replay/image/program_end.h"

namespace icecore::replay {
namespace {

constexpr std::size_t kKept = 2048;
constexpr int kGivenNumber = 3;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe");
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  UniqueFd read;
  UniqueFd write;
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

/// posix_spawn's two kinds of attributes, freed.
struct Spawning {
  Spawning() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;
  ~Spawning() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

[[noreturn]] void throw_not_executed(const std::string& program, int error) {
  Error failure("run " + program + ": " + std::strerror(error), error);
  if (error == ENOENT) failure.set_hint("command -v " + program);
  constexpr int kNotFound = 127;
  constexpr int kNotExecutable = 126;
  failure.set_exit_status(static_cast<ExitStatus>(error == ENOENT ? kNotFound : kNotExecutable));
  throw failure;
}

}  // namespace

StartingProgram::StartingProgram(const Options& options) {
  Pipe in;
  Pipe out;
  Pipe err;
  Spawning how;
  ::posix_spawn_file_actions_adddup2(&how.actions, in.read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&how.actions, out.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&how.actions, err.write.get(), STDERR_FILENO);
  if (options.given >= 0) {
    ::posix_spawn_file_actions_adddup2(&how.actions, options.given, kGivenNumber);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&how.actions,
                                             options.given >= 0 ? kGivenNumber + 1 : kGivenNumber);
  ::posix_spawnattr_setflags(&how.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  ::posix_spawnattr_setsigmask(&how.attributes, &options.mask);
  const auto arguments = pointers(options.command);
  const auto environment = pointers(options.environment);
  const int error = ::posix_spawnp(&pid_, arguments[0], &how.actions, &how.attributes,
                                   arguments.data(), environment.data());
  if (error != 0) throw_not_executed(options.command.front(), error);
  input_ = std::move(in.write);
  output_ = std::move(out.read);
  errors_ = std::move(err.read);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(errors_.get(), F_SETFL, O_NONBLOCK);
}

StartingProgram::~StartingProgram() {
  if (pid_ >= 0) end();
}

void StartingProgram::end() {
  end_session(std::exchange(pid_, -1));
  status_ = status_.value_or(SIGKILL);
}

void StartingProgram::pass_on(UniqueFd& from, int to) {
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t got = ::read(from.get(), bytes.data(), bytes.size());
    if (got == 0) from.reset();
    if (got <= 0) return;
    const auto size = static_cast<std::size_t>(got);
    // Our own reader may have gone; the program's output is kept all the same.
    [[maybe_unused]] const auto written = ::write(to, bytes.data(), size);
    fresh_.append(bytes.data(), size);
    tail_.append(bytes.data(), size);
    if (tail_.size() > kKept) tail_.erase(0, tail_.size() - kKept);
  }
}

void StartingProgram::pump(std::chrono::milliseconds timeout) {
  std::array<pollfd, 2> ready{{{output_.get(), POLLIN, 0}, {errors_.get(), POLLIN, 0}}};
  ::poll(ready.data(), ready.size(), static_cast<int>(timeout.count()));
  // Both go to our stderr: stdout is for results.
  if (output_.valid()) pass_on(output_, STDERR_FILENO);
  if (errors_.valid()) pass_on(errors_, STDERR_FILENO);
}

std::optional<int> StartingProgram::ended() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG | __WALL) == pid_) status_ = status;
  return status_;
}

std::string StartingProgram::take_output() { return std::exchange(fresh_, {}); }

std::string StartingProgram::last_lines() const {
  constexpr int kLines = 10;
  std::size_t start = tail_.size();
  if (start > 0 && tail_.back() == '\n') --start;
  for (int line = 0; line < kLines && start > 0; ++line) {
    const auto before = tail_.rfind('\n', start - 1);
    start = before == std::string::npos ? 0 : before;
  }
  if (start < tail_.size() && tail_[start] == '\n') ++start;
  std::string lines = tail_.substr(start);
  while (!lines.empty() && lines.back() == '\n') lines.pop_back();
  return lines;
}

}  // namespace icecore::replay
