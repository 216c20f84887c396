// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include "tests/transparency/blocked_run.h"

namespace icecore::test {
namespace {

using snapshot::TracedTree;

std::string read_all(int fd) {
  std::string all;
  std::array<char, 4096> buffer{};
  for (ssize_t got; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return all;
}

/// Both runs at the same time, and what the frozen one could notice.
std::string compare(const BlockedCase& blocked, int cycles, TracedTree::Between between) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "pipe failed";
  if (::fork() == 0) {
    const auto outcome = run_undisturbed(blocked);
    const std::string text = outcome.result + "\n" + outcome.parent + "\n";
    ::_exit(::write(ends[1], text.data(), text.size()) > 0 ? 0 : 1);
  }
  ::close(ends[1]);
  const auto frozen = run_frozen(blocked, cycles, between);
  BlockedOutcome undisturbed;
  std::istringstream lines(read_all(ends[0]));
  std::getline(lines, undisturbed.result);
  std::getline(lines, undisturbed.parent);
  return noticeable(blocked, undisturbed, frozen);
}

/// Runs `cases` with one tracer process each, all at once, and tells what each could notice: a
/// tracer takes all wait statuses of its process.
std::string run_side_by_side(const std::vector<BlockedCase>& cases, int cycles,
                             TracedTree::Between between) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "pipe failed";
  std::vector<pid_t> tracers;
  for (const auto& each : cases) {
    const pid_t tracer = ::fork();
    if (tracer == 0) {
      ::close(ends[0]);
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGCHLD);
      ::sigprocmask(SIG_BLOCK, &set, nullptr);
      std::string text;
      try {
        text = compare(each, cycles, between);
      } catch (const std::exception& error) {
        text = error.what();
      }
      if (!text.empty()) text = each.name + ": " + text + "\n";
      const bool told = ::write(ends[1], text.data(), text.size()) >= 0;
      ::_exit(told ? 0 : 1);
    }
    tracers.push_back(tracer);
  }
  ::close(ends[1]);
  std::string all = read_all(ends[0]);
  for (const pid_t tracer : tracers) {
    int status = 0;
    ::waitpid(tracer, &status, 0);
    if (status != 0) all += "a tracer ended with wait status " + std::to_string(status) + "\n";
  }
  return all;
}

struct Batch {
  std::string program;
  std::size_t part;
  std::size_t parts;
};

std::vector<BlockedCase> cases_in(const Batch& batch) {
  std::vector<BlockedCase> chosen;
  const auto all = cases_of(batch.program);
  for (std::size_t i = batch.part; i < all.size(); i += batch.parts) chosen.push_back(all[i]);
  return chosen;
}

class BlockingCalls : public ::testing::TestWithParam<Batch> {};

TEST_P(BlockingCalls, NoticeNothingOfAHundredFreezes) {
  const auto cases = cases_in(GetParam());
  ASSERT_FALSE(cases.empty());
  EXPECT_EQ(run_side_by_side(cases, 100, TracedTree::Between::Detached), "");
}

TEST_P(BlockingCalls, NoticeNothingOfFreezesByATracerThatStays) {
  const auto cases = cases_in(GetParam());
  EXPECT_EQ(run_side_by_side(cases, 10, TracedTree::Between::Attached), "");
}

INSTANTIATE_TEST_SUITE_P(
    All, BlockingCalls,
    ::testing::Values(Batch{"blocked_files", 0, 2}, Batch{"blocked_files", 1, 2},
                      Batch{"blocked_sockets", 0, 2}, Batch{"blocked_sockets", 1, 2},
                      Batch{"blocked_waits", 0, 2}, Batch{"blocked_waits", 1, 2},
                      Batch{"blocked_sync", 0, 1}, Batch{"blocked_rare", 0, 1}),
    [](const auto& batch) {
      return batch.param.program + "_" + std::to_string(batch.param.part + 1);
    });

}  // namespace
}  // namespace icecore::test
