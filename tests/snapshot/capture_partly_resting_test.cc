// SPDX-License-Identifier: Apache-2.0
// A tree of which only some processes run: what is read of the others ahead of the pause must be
// what it was in the pause, whatever those that run did to them meanwhile.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "snapshot/capture/tree_capture.h"
#include "tests/support/temp_directory.h"
#include "tests/support/victim.h"

namespace icecore::snapshot {
namespace {

struct Pair {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};
enum { kLimit, kPosition, kDirectory, kMapped, kDescriptor, kPairs };
using Counters = std::array<Pair, kPairs>;

/// The number in which `text` ends.
std::uint64_t number_in(const std::string& text) {
  const auto at = text.find_last_not_of("0123456789");
  return std::strtoull(text.c_str() + at + 1, nullptr, 10);
}

/// Changed between its "before" and its "after": either number is right.
void expect_agrees(const char* what, std::uint64_t seen, const Pair& counted) {
  if (counted.before == 0) return;  // nothing was changed yet
  EXPECT_GE(seen, counted.after) << what;
  EXPECT_LE(seen, counted.before) << what;
}

class PartlyResting : public ::testing::Test {
 protected:
  PartlyResting() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    tree_ = std::make_unique<TracedTree>(victim_.pid(), TracedTree::Between::Detached);
    capture_ = std::make_unique<TreeCapture>(*tree_, [this] { return store::SpaceId{++spaces_}; });
    address_ = std::strtoull(victim_.greeting().c_str(), nullptr, 16);
  }

  std::unique_ptr<CapturedSnapshot> snap() {
    capture_->prepare();
    tree_->note_sleepers();
    EXPECT_EQ(tree_->freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen);
    auto captured = capture_->take({});
    tree_->thaw();
    while (tree_->dispatch()) {
    }
    capture_->complete(*captured);
    return captured;
  }

  /// Those of before when the process wrote nothing since then.
  Counters counters_of(const CapturedSnapshot& captured, const model::Process& process) {
    Counters& counters = counters_[process.pid()];
    const std::uint64_t page = address_ / store::kPageSize;
    for (const auto& change : captured.spaces) {
      if (static_cast<std::uint64_t>(change.space) != process.space()) continue;
      for (const auto& run : change.runs) {
        if (run.kind != store::PageRun::Kind::Data) continue;
        if (page < run.first || page >= run.first + run.count) continue;
        std::memcpy(counters.data(), run.data + (page - run.first) * store::kPageSize,
                    sizeof counters);
      }
    }
    return counters;
  }

  static const model::FileDescriptor* descriptor(const model::Process& process, int fd) {
    for (const auto& each : process.descriptors()) {
      if (each.fd() == fd) return &each;
    }
    return nullptr;
  }

  void check(const CapturedSnapshot& captured) {
    const model::Snapshot& model = captured.model;
    ASSERT_EQ(model.processes_size(), 4);
    EXPECT_EQ(model.processes(0).pid(), victim_.pid()) << "parents come first";
    const auto counted = counters_of(captured, model.processes(0));
    for (int i = 1; i < model.processes_size(); ++i) {
      const auto& child = model.processes(i);
      expect_agrees("working directory", number_in(child.working_directory()), counted[kDirectory]);
      for (const auto& mapping : child.mappings()) {
        if (mapping.name().find("/m") == std::string::npos || mapping.inode() == 0) continue;
        if (mapping.name().find(directory_.path().string()) != 0) continue;
        expect_agrees("mapped file", number_in(mapping.name()), counted[kMapped]);
      }
      for (const auto& each : child.descriptors()) {
        const auto& file = model.open_files(static_cast<int>(each.description()) - 1);
        EXPECT_EQ(file.id(), each.description());
        if (!file.target().ends_with("/shared")) continue;
        expect_agrees("position", file.position(), counted[kPosition]);
      }
      if (i == 1) {
        expect_agrees("limit", child.limits(RLIMIT_RTTIME).soft(), counted[kLimit]);
      }
      if (i == 2) {
        const Pair pair = counters_of(captured, child)[kDescriptor];
        const bool open = descriptor(child, 70) != nullptr;
        if (pair.before == pair.after) {
          EXPECT_EQ(open, pair.after % 2 == 1);
        }
        if (const auto* twin = descriptor(child, 70); twin != nullptr) {
          EXPECT_EQ(twin->description(), descriptor(child, 0)->description());
        }
      }
    }
  }

  test::TempDirectory directory_;
  test::Victim victim_{"meddler", {directory_.path().string()}};
  std::map<int, Counters> counters_;  // by pid
  std::uint64_t spaces_ = 0;
  std::uint64_t address_ = 0;
  std::unique_ptr<TracedTree> tree_;
  std::unique_ptr<TreeCapture> capture_;
};

TEST_F(PartlyResting, IsOneMomentHoweverTheOthersMeddle) {
  std::size_t read_ahead = 0;
  for (int i = 0; i < 60 && !HasFailure(); ++i) {
    const auto captured = snap();
    check(*captured);
    read_ahead += capture_->read_ahead();
  }
  EXPECT_GT(read_ahead, 0U) << "no process was read ahead of any pause: nothing was tested";
}

}  // namespace
}  // namespace icecore::snapshot
