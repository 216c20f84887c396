// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "snapshot/tracing/seccomp_policy.h"

namespace icecore::snapshot {
namespace {

using Verdict = SeccompPolicy::Verdict;
using Program = std::vector<sock_filter>;

seccomp_data call(int number, std::uint64_t argument = 0) {
  seccomp_data data{};
  data.nr = number;
  data.arch = AUDIT_ARCH_X86_64;
  data.args[0] = argument;
  return data;
}

constexpr unsigned kNumber = offsetof(seccomp_data, nr);
constexpr unsigned kFirstArgument = offsetof(seccomp_data, args);

/// `answer` for one number, `otherwise` for the others.
Program only(int number, std::uint32_t answer, std::uint32_t otherwise) {
  return {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
          BPF_STMT(BPF_RET | BPF_K, answer), BPF_STMT(BPF_RET | BPF_K, otherwise)};
}

/// For getpgid an error that is computed from its argument with every instruction that seccomp
/// allows; all else is allowed.
Program arithmetic() {
  return {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumber),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFirstArgument),
      BPF_STMT(BPF_ST, 3),
      BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 40),
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 6),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_MEM, 3),
      BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0),
      BPF_STMT(BPF_ALU | BPF_NEG, 0),
      BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 3),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 0x55),
      BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 4),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),
      BPF_STMT(BPF_STX, 5),
      BPF_STMT(BPF_LDX | BPF_MEM, 5),
      BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
      BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
      BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
      BPF_STMT(BPF_LDX | BPF_IMM, 700),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1),
      BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 200),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 400, 1, 0),
      BPF_STMT(BPF_ALU | BPF_OR | BPF_K, 0x800),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1),
      BPF_STMT(BPF_JMP | BPF_JA, 1),
      BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 0x333),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_ERRNO),
      BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_MISC | BPF_TXA, 0),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
}

/// The errors that the kernel answers getpgid with, below `program`, for these arguments.
std::vector<int> errors_from_kernel(Program program, const std::vector<unsigned>& arguments) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const sock_fprog description{static_cast<unsigned short>(program.size()), program.data()};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &description) != 0) ::_exit(1);
    for (const unsigned argument : arguments) {
      errno = 0;
      ::syscall(SYS_getpgid, argument);
      const int error = errno;
      if (::write(pipe[1], &error, sizeof error) != sizeof error) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(pipe[1]);
  std::vector<int> errors;
  int error = 0;
  while (::read(pipe[0], &error, sizeof error) == sizeof error) errors.push_back(error);
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
  return errors;
}

TEST(SeccompFilter, AnswersByNumber) {
  const auto program = only(SYS_getpid, SECCOMP_RET_ERRNO | 7, SECCOMP_RET_ALLOW);
  EXPECT_EQ(run_seccomp_filter(program, call(SYS_getpid)), SECCOMP_RET_ERRNO | 7U);
  EXPECT_EQ(run_seccomp_filter(program, call(SYS_read)), SECCOMP_RET_ALLOW);
}

TEST(SeccompFilter, ComputesAsTheKernelDoes) {
  std::vector<unsigned> arguments;
  std::vector<int> errors;
  for (unsigned argument = 1; argument < 4'000'000'000U; argument = argument * 3 + 1) {
    const std::uint32_t answer = run_seccomp_filter(arithmetic(), call(SYS_getpgid, argument));
    EXPECT_EQ(answer & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
    arguments.push_back(argument);
    // The kernel tells no higher ones.
    errors.push_back(std::min<int>(static_cast<int>(answer & SECCOMP_RET_DATA), 4095));
    if (argument > 1'000'000'000U) break;
  }
  EXPECT_EQ(errors_from_kernel(arithmetic(), arguments), errors);
}

TEST(SeccompFilter, EndsTheProcessBehindItsEnd) {
  EXPECT_EQ(run_seccomp_filter({}, call(SYS_read)), SECCOMP_RET_KILL_PROCESS);
}

TEST(SeccompFilter, KnowsThatItAsksASupervisor) {
  SeccompFilter filter;
  filter.program = only(SYS_mount, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW);
  EXPECT_TRUE(filter.asks_supervisor());
  filter.program = only(SYS_mount, SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ALLOW);
  EXPECT_FALSE(filter.asks_supervisor());
}

TEST(SeccompPolicy, TakesTheSternestAnswer) {
  const SeccompPolicy policy({{only(SYS_read, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | 1), 0},
                              {only(SYS_open, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW), 0}});
  EXPECT_EQ(policy.verdict(call(SYS_read)), Verdict::Allowed);
  EXPECT_EQ(policy.verdict(call(SYS_write)), Verdict::Harmless);
  EXPECT_EQ(policy.verdict(call(SYS_open)), Verdict::Deadly);
}

TEST(SeccompPolicy, CountsWhatAsksOthersAsDeadly) {
  const SeccompPolicy policy({{only(SYS_mount, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRAP), 0}});
  EXPECT_EQ(policy.verdict(call(SYS_mount)), Verdict::Deadly);
  EXPECT_EQ(policy.verdict(call(SYS_read)), Verdict::Deadly);
}

TEST(SeccompPolicy, KnowsStrictMode) {
  EXPECT_EQ(SeccompPolicy::strict().verdict(call(SYS_rt_sigreturn)), Verdict::Allowed);
  EXPECT_EQ(SeccompPolicy::strict().verdict(call(SYS_exit_group)), Verdict::Deadly);
}

}  // namespace
}  // namespace icecore::snapshot
