// SPDX-License-Identifier: Apache-2.0
#include "tests/support/victim.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/error.h"

#ifndef ICECORE_VICTIM_DIR
#error "ICECORE_VICTIM_DIR must name the folder of the built victims"
#endif

namespace icecore::test {
namespace {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Between fork and exec: only async-signal-safe calls.
[[noreturn]] void become_victim(const char* path, char* const* arguments, int input, int output,
                                pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(125);
  ::setpgid(0, 0);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  // Test runners leave descriptors of their own open; a victim's table holds what it opened itself.
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  ::execv(path, arguments);
  constexpr char kMessage[] = "the victim cannot be executed\n";
  if (::write(STDERR_FILENO, kMessage, sizeof kMessage - 1) < 0) ::_exit(126);
  ::_exit(127);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string describe_threads(pid_t pid) {
  std::string text;
  std::error_code ignored;
  const auto tasks = std::filesystem::path("/proc") / std::to_string(pid) / "task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, ignored)) {
    for (const char* file : {"stack", "wchan", "status"}) {
      text += task.path().string() + "/" + file + ":\n" + read_file(task.path() / file) + "\n";
    }
  }
  return text;
}

Victim::Victim(const std::string& name, const std::vector<std::string>& arguments) {
  const std::string path = std::string(ICECORE_VICTIM_DIR) + "/" + name;
  if (::access(path.c_str(), X_OK) != 0) throw_errno("execute victim " + path);
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  Pipe input = make_pipe();
  Pipe output = make_pipe();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("fork");
  if (pid_ == 0) {
    become_victim(path.c_str(), argv.data(), input.read_end.get(), output.write_end.get(), parent);
  }
  ::setpgid(pid_, pid_);  // In both, whoever is first; fails harmlessly after the exec.
  to_victim_ = std::move(input.write_end);
  from_victim_ = std::move(output.read_end);
  try {
    greeting_ = read_line();
    if (!greeting_.starts_with("READY")) throw Error("victim " + name + " said: " + greeting_);
    greeting_.erase(0, std::min(greeting_.size(), std::string("READY ").size()));
  } catch (...) {
    kill_and_reap();
    throw;
  }
}

Victim::Victim(Victim&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      to_victim_(std::move(other.to_victim_)),
      from_victim_(std::move(other.from_victim_)),
      received_(std::move(other.received_)),
      greeting_(std::move(other.greeting_)) {}

Victim::~Victim() { kill_and_reap(); }

void Victim::kill_and_reap() {
  if (pid_ < 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  // When this process traces it (hence __WALL), the kernel gives the leader only after all others.
  std::error_code ignored;
  const auto tasks = std::filesystem::path("/proc") / std::to_string(pid_) / "task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, ignored)) {
    const pid_t tid = std::stoi(task.path().filename().string());
    while (tid != pid_ && ::waitpid(tid, nullptr, __WALL) == tid) {
    }
  }
  while (::waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::string Victim::send(std::string_view line) {
  write_line(line);
  return read_line();
}

void Victim::write_line(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(to_victim_.get(), text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) throw_errno("write to victim " + std::to_string(pid_));
    if (count > 0) written += static_cast<std::size_t>(count);
  }
}

std::string Victim::read_line() {
  const Deadline deadline;
  std::size_t end;
  while ((end = received_.find('\n')) == std::string::npos) receive(deadline);
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

bool Victim::has_answered() const {
  pollfd waiting = {from_victim_.get(), POLLIN, 0};
  return received_.find('\n') != std::string::npos || ::poll(&waiting, 1, 0) > 0;
}

void Victim::receive(const Deadline& deadline) {
  pollfd waiting = {from_victim_.get(), POLLIN, 0};
  const int ready = ::poll(&waiting, 1, deadline.remaining_milliseconds());
  if (ready < 0 && errno != EINTR) throw_errno("poll victim");
  if (ready == 0) {
    throw Error("victim " + std::to_string(pid_) + " did not answer in time\n" +
                describe_threads(pid_));
  }
  if (ready < 0) return;
  char buffer[4096];
  const ssize_t count = ::read(from_victim_.get(), buffer, sizeof buffer);
  if (count < 0 && errno != EINTR) throw_errno("read from victim");
  if (count == 0) throw Error("victim " + std::to_string(pid_) + " closed its stdout: it died?");
  if (count > 0) received_.append(buffer, static_cast<std::size_t>(count));
}

int Victim::wait() {
  to_victim_.reset();
  const Deadline deadline;
  const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!handle.valid()) throw_errno("pidfd_open victim");
  pollfd waiting = {handle.get(), POLLIN, 0};
  int ready;
  while ((ready = ::poll(&waiting, 1, deadline.remaining_milliseconds())) < 0 && errno == EINTR) {
  }
  if (ready == 0) {
    throw Error("victim " + std::to_string(pid_) + " did not end in time\n" +
                describe_threads(pid_));
  }
  int status = 0;
  if (::waitpid(pid_, &status, __WALL) < 0) throw_errno("waitpid victim");
  pid_ = -1;
  return status;
}

}  // namespace icecore::test
