// SPDX-License-Identifier: Apache-2.0
#include "tests/transparency/blocked_run.h"

#include <signal.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "snapshot/capture/tree_capture.h"
#include "snapshot/tracing/task_list.h"
#include "tests/support/victim.h"

namespace icecore::test {
namespace {

using Clock = std::chrono::steady_clock;
using snapshot::TracedTree;

// What a loaded machine may add to the 5 ms that we allow ourselves.
constexpr long kNoiseUs = 150'000;
constexpr long kLateUs = 5'000;
// An absolute limit is computed just before the clock of the case starts.
constexpr long kEarlyUs = 1'000;

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool sleeps(int pid) {
  const auto stat = snapshot::task_stat(pid, pid);
  const bool asleep = stat && (stat->state == 'S' || stat->state == 'D');
  return asleep && snapshot::task_syscall(pid, pid).has_value();
}

/// Until the call is blocked; a case that never sleeps is met at work.
void wait_until_blocked(int pid) {
  const auto limit = Clock::now() + std::chrono::milliseconds(500);
  for (int seen = 0; seen < 5 && Clock::now() < limit;) {
    seen = sleeps(pid) ? seen + 1 : 0;
    const timespec moment{0, 500'000};
    ::nanosleep(&moment, nullptr);
  }
}

/// What a program can learn of itself: mappings, descriptors, status.
std::string appearance(int pid) {
  const std::string base = "/proc/" + std::to_string(pid);
  std::string text = read_file(base + "/maps");
  std::error_code ignored;
  for (const auto& fd : std::filesystem::directory_iterator(base + "/fd", ignored)) {
    text += fd.path().filename().string() + " -> " +
            std::filesystem::read_symlink(fd.path(), ignored).string() + "\n";
  }
  std::istringstream status(read_file(base + "/status"));
  for (std::string line; std::getline(status, line);) {
    // SigQ counts for the whole user.
    const bool varies = line.starts_with("Vm") || line.starts_with("Rss") ||
                        line.starts_with("State") || line.starts_with("SigQ") ||
                        line.starts_with("TracerPid") || line.find("ctxt") != std::string::npos;
    if (!varies) text += line + "\n";
  }
  return text;
}

/// A call that goes on under our eyes and a vfork parent, which cannot stop, are the only ones that
/// we stay attached to.
std::string tracer_left(int pid, const TracedTree& tree) {
  for (const auto& [tid, thread] : tree.threads()) {
    if (thread.call || thread.interrupted) return {};
  }
  const auto signals = snapshot::task_signals(pid, pid);
  return signals && signals->tracer == 0 ? "" : "still traced\n";
}

/// The lines of `a` that are not in `b` and the other way round.
std::string difference(const std::string& a, const std::string& b) {
  std::string text;
  for (const auto& [from, in, sign] : {std::tuple{a, b, "-"}, std::tuple{b, a, "+"}}) {
    std::istringstream lines(from);
    for (std::string line; std::getline(lines, line);) {
      if (in.find(line) == std::string::npos) text += sign + line + "\n";
    }
  }
  return text;
}

void await_sigchld(std::chrono::milliseconds time) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  const timespec limit{0, std::chrono::nanoseconds(time).count()};
  ::sigtimedwait(&set, nullptr, &limit);
}

void look_after(TracedTree& tree, std::chrono::milliseconds time) {
  const auto end = Clock::now() + time;
  do {
    while (tree.dispatch()) {
    }
    await_sigchld(std::chrono::milliseconds(1));
  } while (Clock::now() < end);
}

/// Some calls wait with a signal mask of their own, which /proc shows once they wait again.
void wait_until_back(int pid, TracedTree& tree) {
  const auto limit = Clock::now() + std::chrono::milliseconds(100);
  while (!sleeps(pid) && Clock::now() < limit) look_after(tree, std::chrono::milliseconds(1));
}

/// The next line of the victim, while the tree is looked after.
std::string line_of(Victim& victim, TracedTree& tree) {
  std::string line;
  std::atomic<bool> done{false};
  const pthread_t self = ::pthread_self();
  std::jthread reader([&] {
    try {
      line = victim.read_line();
    } catch (const std::exception& error) {
      line = std::string("no answer: ") + error.what();
    }
    done = true;
    ::pthread_kill(self, SIGCHLD);
  });
  while (!done) look_after(tree, std::chrono::milliseconds(1));
  return line;
}

/// One that does nothing to `pid`: untraced, the call would not even be woken by it.
void send_ignored_signal(int pid) {
  const auto signals = snapshot::task_signals(pid, pid);
  constexpr std::uint64_t kBit = 1ULL << static_cast<unsigned>(SIGCHLD - 1);
  if (signals && (signals->caught & kBit) == 0) ::kill(pid, SIGCHLD);
}

bool has_pending(int pid) {
  const std::string status = read_file("/proc/" + std::to_string(pid) + "/status");
  return status.find("ShdPnd:\t0000000000000000") == std::string::npos;
}

void freeze_and_thaw(TracedTree& tree, int cycles, int pid, BlockedOutcome& outcome) {
  constexpr int kSnapshots = 4;  // enough to be prepared by what the last two had in common
  std::uint64_t spaces = 0;
  snapshot::TreeCapture capture(tree, [&] { return store::SpaceId{++spaces}; });
  for (int i = 0; i < cycles; ++i) {
    if (i < kSnapshots) capture.prepare();
    tree.note_sleepers();
    const auto pause = Clock::now();
    if (tree.freeze(std::chrono::seconds(5)) != TracedTree::Outcome::Frozen) {
      outcome.complaint += "freeze " + std::to_string(i) + " failed\n";
    }
    const auto captured = i < kSnapshots ? capture.take({}) : nullptr;
    tree.thaw();
    outcome.pauses_us +=
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - pause).count();
    if (captured) capture.complete(*captured);
    look_after(tree, std::chrono::milliseconds(2));
    send_ignored_signal(pid);
    look_after(tree, std::chrono::milliseconds(1));
  }
  const Deadline deadline;
  while (has_pending(pid) && !deadline.passed()) look_after(tree, std::chrono::milliseconds(2));
}

void take_result(const std::string& line, BlockedOutcome& outcome) {
  std::istringstream words(line);
  std::string word, rest;
  words >> word >> outcome.result >> outcome.microseconds;
  std::getline(words, rest);
  outcome.result = word + " " + outcome.result + rest;
  if (word != "RESULT") outcome.result = line;
}

void take_end(Victim& victim, BlockedOutcome& outcome) {
  victim.wait();
  outcome.parent = victim.read_line();
}

}  // namespace

std::vector<BlockedCase> cases_of(const std::string& program) {
  Victim victim(program, {"list"});
  std::istringstream words(victim.greeting());
  std::vector<BlockedCase> cases;
  for (std::string word; words >> word;) {
    const auto colon = word.find(':');
    cases.push_back({program, word.substr(0, colon), std::stoi(word.substr(colon + 1))});
  }
  return cases;
}

BlockedOutcome run_undisturbed(const BlockedCase& blocked) {
  BlockedOutcome outcome;
  Victim victim(blocked.program, {blocked.name});
  wait_until_blocked(std::stoi(victim.greeting()));
  if (blocked.timeout_ms == 0) victim.write_line("wake");
  take_result(victim.read_line(), outcome);
  take_end(victim, outcome);
  return outcome;
}

BlockedOutcome run_frozen(const BlockedCase& blocked, int cycles, TracedTree::Between between) {
  BlockedOutcome outcome;
  Victim victim(blocked.program, {blocked.name});
  const int pid = std::stoi(victim.greeting());
  wait_until_blocked(pid);
  const auto begun = Clock::now();
  {
    TracedTree tree(victim.pid(), between);
    if (between == TracedTree::Between::Attached) tree.attach();
    const std::string before = appearance(pid);
    freeze_and_thaw(tree, cycles, pid, outcome);
    if (blocked.timeout_ms > 0 &&
        Clock::now() - begun > std::chrono::milliseconds(blocked.timeout_ms)) {
      outcome.complaint += "the machine is too slow: the time was over before the last freeze\n";
    }
    wait_until_back(pid, tree);
    outcome.complaint += difference(before, appearance(pid));
    const bool detached = between == TracedTree::Between::Detached;
    if (detached) outcome.complaint += tracer_left(pid, tree);
    if (blocked.timeout_ms == 0) victim.write_line("wake");
    take_result(line_of(victim, tree), outcome);
    look_after(tree, std::chrono::milliseconds(2));
    if (detached) outcome.complaint += tracer_left(pid, tree);
  }
  take_end(victim, outcome);
  return outcome;
}

std::string noticeable(const BlockedCase& blocked, const BlockedOutcome& undisturbed,
                       const BlockedOutcome& frozen) {
  std::string text = frozen.complaint;
  if (frozen.result != undisturbed.result) {
    text += "result: " + frozen.result + " instead of " + undisturbed.result + "\n";
  }
  if (frozen.parent != undisturbed.parent) {
    text += "parent: " + frozen.parent + " instead of " + undisturbed.parent + "\n";
  }
  if (blocked.timeout_ms > 0) {
    const long over = frozen.microseconds - blocked.timeout_ms * 1000L;
    if (over < -kEarlyUs) text += "ended " + std::to_string(-over) + " us early\n";
    if (over > frozen.pauses_us + kLateUs + kNoiseUs) {
      text += "ended " + std::to_string(over) + " us late, pauses " +
              std::to_string(frozen.pauses_us) + " us\n";
    }
  }
  return text;
}

}  // namespace icecore::test
