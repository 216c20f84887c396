// SPDX-License-Identifier: Apache-2.0
// Children below seccomp, asked over pipes: what their filters forbid they must forbid again, what
// they allow must work. With "deadly" also children whose filters end them for almost any call.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "revive_case.h"

namespace {

constexpr int kAnswerOfFirst = 77;
constexpr int kAnswerOfSecond = 78;

/// Answers `number` with `answer`, everything else with `otherwise`.
void add_filter(const std::vector<int>& numbers, std::uint32_t answer, std::uint32_t otherwise,
                unsigned flags) {
  std::vector<sock_filter> program;
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (const int number : numbers) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, answer));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, otherwise));
  const sock_fprog description{static_cast<unsigned short>(program.size()), program.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &description) != 0) ::_exit(9);
}

int error_of(long number) {
  errno = 0;
  ::syscall(number, 0);
  return errno;
}

char seccomp_lines() {
  std::istringstream lines(revive::read_file("/proc/thread-self/status"));
  std::string line;
  char filters = '?';
  while (std::getline(lines, line)) {
    if (line.starts_with("Seccomp_filters:")) filters = line.back();
  }
  return filters;
}

struct Child {
  int to;
  int from;
  pid_t pid;

  char ask(char question) const {
    char answer = '-';
    if (::write(to, &question, 1) != 1 || ::read(from, &answer, 1) != 1) return '!';
    return answer;
  }
};

/// Below two filters that answer with errors, also what a tracer might want to call.
[[noreturn]] void live_with_errors(int in, int out) {
  add_filter({SYS_getpgid, SYS_rt_sigaction, SYS_prctl, SYS_sigaltstack, SYS_userfaultfd},
             SECCOMP_RET_ERRNO | kAnswerOfFirst, SECCOMP_RET_ALLOW, 0);
  ::syscall(SYS_getpid);
  // prctl answers with an error by now, and what it would set is set.
  add_filter({SYS_getsid}, SECCOMP_RET_ERRNO | kAnswerOfSecond, SECCOMP_RET_ALLOW,
             SECCOMP_FILTER_FLAG_LOG);
  char question = 0;
  while (::read(in, &question, 1) == 1) {
    const bool right = error_of(SYS_getpgid) == kAnswerOfFirst &&
                       error_of(SYS_getsid) == kAnswerOfSecond && seccomp_lines() == '2';
    const char answer = right ? 'y' : 'n';
    if (::write(out, &answer, 1) != 1) break;
  }
  ::_exit(0);
}

/// Only one of its threads has a filter.
[[noreturn]] void live_with_a_careful_thread(int in, int out) {
  std::thread careful([&] {
    add_filter({SYS_getpgid}, SECCOMP_RET_ERRNO | kAnswerOfSecond, SECCOMP_RET_ALLOW, 0);
    char question = 0;
    while (::read(in, &question, 1) == 1) {
      const bool right =
          error_of(SYS_getpgid) == kAnswerOfSecond && seccomp_lines() == '1' &&
          revive::read_file("/proc/self/status").find("Seccomp:\t0") != std::string::npos;
      const char answer = right ? 'y' : 'n';
      if (::write(out, &answer, 1) != 1) break;
    }
    ::_exit(0);
  });
  for (;;) ::pause();
}

/// Anything but a few calls ends it; restart_syscall is not among them.
[[noreturn]] void live_dangerously(int in, int out) {
  add_filter({SYS_read, SYS_write, SYS_nanosleep, SYS_exit_group}, SECCOMP_RET_ALLOW,
             SECCOMP_RET_KILL_PROCESS, 0);
  for (;;) {
    const timespec moment{0, 20'000'000};
    if (::syscall(SYS_nanosleep, &moment, nullptr) != 0) ::_exit(8);
    char question = 0;
    const ssize_t size = ::read(in, &question, 1);
    if (size < 0 && errno == EAGAIN) continue;
    if (size != 1) ::_exit(0);
    if (question == 'K') ::syscall(SYS_getppid);
    const char answer = 'y';
    if (::write(out, &answer, 1) != 1) ::_exit(0);
  }
}

[[noreturn]] void live_strictly(int in, int out) {
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
  char question = 0;
  while (::read(in, &question, 1) == 1) {
    if (question == 'K') ::syscall(SYS_getppid);
    const char answer = 'y';
    if (::write(out, &answer, 1) != 1) break;
  }
  ::syscall(SYS_exit, 0);
  __builtin_unreachable();
}

Child start(void (*live)(int in, int out), int flags = 0) {
  std::array<int, 2> questions{};
  std::array<int, 2> answers{};
  if (::pipe(questions.data()) != 0 || ::pipe(answers.data()) != 0) std::exit(2);
  ::fcntl(questions[0], F_SETFL, flags);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (int fd = 3; fd < 64; ++fd) {
      if (fd != questions[0] && fd != answers[1]) ::close(fd);
    }
    live(questions[0], answers[1]);
  }
  ::close(questions[0]);
  ::close(answers[1]);
  return {questions[1], answers[0], pid};
}

int end_of(const Child& child) {
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

}  // namespace

int main(int argc, char** argv) {
  revive::begin(argv);
  std::vector<Child> gentle{start(live_with_errors), start(live_with_a_careful_thread)};
  std::vector<Child> deadly;
  const bool with_deadly = argc > 2 && std::string(argv[2]) == "deadly";
  if (with_deadly) deadly = {start(live_dangerously, O_NONBLOCK), start(live_strictly)};
  const auto all_answer = [&] {
    for (const auto& child : gentle) revive::expect_equal("an answer", child.ask('?'), 'y');
    for (const auto& child : deadly) revive::expect_equal("an answer", child.ask('?'), 'y');
  };
  all_answer();
  revive::ready();
  while (!revive::told_to_go()) {
    if (with_deadly) all_answer();
    ::usleep(2000);
  }
  all_answer();
  if (with_deadly) {
    deadly[0].ask('K');
    revive::expect_equal("the end by a filter", end_of(deadly[0]), SIGSYS);
    deadly[1].ask('K');
    revive::expect_equal("the end by strict mode", end_of(deadly[1]), SIGKILL);
  }
  for (const auto& child : gentle) {
    ::close(child.to);
    ::waitpid(child.pid, nullptr, 0);
  }
  revive::finish();
}
