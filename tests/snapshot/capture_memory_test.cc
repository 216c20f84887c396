// SPDX-License-Identifier: Apache-2.0
// The whole way of a page: process, capture, store, and back, compared with the still frozen
// process.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/capture/tree_capture.h"
#include "snapshot/snapshot_storer.h"
#include "snapshot/stored_snapshot.h"
#include "store/recording_writer.h"
#include "store/store.h"
#include "tests/support/temp_directory.h"
#include "tests/support/victim.h"

namespace icecore::snapshot {
namespace {

constexpr std::size_t kPage = store::kPageSize;

/// Other random walks for a long run by hand: ICECORE_TEST_SEED=1000.
int first_seed() {
  const char* text = std::getenv("ICECORE_TEST_SEED");
  return text == nullptr ? 0 : std::atoi(text);
}

class MemoryRoundTrip : public ::testing::Test {
 protected:
  MemoryRoundTrip() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    store_.emplace(store::Store::open_or_create(directory_.path() / "store"));
    writer_.emplace(store_->write("churn"));
    storer_ = std::make_unique<SnapshotStorer>(*writer_, "");
  }

  void watch(int pid, const BufferLimit& buffers = {}) {
    tree_ = std::make_unique<TracedTree>(pid, TracedTree::Between::Detached);
    capture_ = std::make_unique<TreeCapture>(
        *tree_, [this] { return writer_->new_space(); }, FileKeeping{}, buffers);
  }

  /// Takes one snapshot and leaves the tree frozen.
  void snap_frozen() {
    if (capture_->wants_watches()) {
      ASSERT_EQ(tree_->freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen);
      capture_->place_watches();
      tree_->thaw();
    }
    capture_->prepare();
    ASSERT_EQ(tree_->freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen);
    auto captured = capture_->take({});
    capture_->complete(*captured);
    number_ = storer_->store(*captured, "");
  }

  void thaw() {
    tree_->thaw();
    while (tree_->dispatch()) {
    }
  }

  void snap() {
    snap_frozen();
    thaw();
  }

  /// Takes one snapshot; checks it against the process before that runs again.
  void snap_and_compare() {
    snap_frozen();
    if (HasFatalFailure()) return;
    const StoredSnapshot stored(*store_, {"churn", number_});
    for (const auto& process : stored.model().processes()) compare(stored, process);
    thaw();
  }

  void compare(const StoredSnapshot& stored, const model::Process& process) {
    if (process.state() == model::Process::ZOMBIE) return;
    const UniqueFd memory(
        ::open(("/proc/" + std::to_string(process.pid()) + "/mem").c_str(), O_RDONLY));
    ASSERT_TRUE(memory.valid());
    std::vector<std::byte> now(kPage);
    std::vector<std::byte> kept(kPage);
    for (const auto& mapping : process.mappings()) {
      if (mapping.content() == model::Mapping::KERNEL) continue;
      for (std::uint64_t at = mapping.start(); at < mapping.end(); at += kPage) {
        const ssize_t live = ::pread(memory.get(), now.data(), kPage, static_cast<off_t>(at));
        const std::size_t read = stored.read_memory(process, at, kept);
        // Behind a file's end both fail; all else must be there and equal.
        if (live != static_cast<ssize_t>(kPage)) continue;
        ASSERT_EQ(read, kPage) << name(stored, process, mapping, at);
        ASSERT_EQ(std::memcmp(now.data(), kept.data(), kPage), 0)
            << name(stored, process, mapping, at) << " now " << summary(now) << " kept "
            << summary(kept);
        ++compared_;
      }
    }
  }

  static std::string summary(const std::vector<std::byte>& page) {
    const auto bytes = std::ranges::count_if(page, [](std::byte b) { return b != std::byte{0}; });
    return std::to_string(bytes) + " bytes that are not zero";
  }

  static std::string name(const StoredSnapshot& stored, const model::Process& process,
                          const model::Mapping& mapping, std::uint64_t at) {
    return stored.key().text() + " process " + std::to_string(process.pid()) + " page " +
           std::to_string((at - mapping.start()) / kPage) + " of " + mapping.name() +
           (mapping.shared() ? " shared" : " private") + (mapping.readable() ? " r" : " -") +
           (mapping.writable() ? "w" : "-");
  }

  test::TempDirectory directory_;
  std::optional<store::Store> store_;
  std::optional<store::RecordingWriter> writer_;
  std::unique_ptr<SnapshotStorer> storer_;
  std::unique_ptr<TracedTree> tree_;
  std::unique_ptr<TreeCapture> capture_;
  std::uint64_t number_ = 0;
  std::uint64_t compared_ = 0;
};

TEST_F(MemoryRoundTrip, KeepsEveryPageOfAProcessThatChurnsItsMemory) {
  test::Victim victim("memory_churn");
  watch(victim.pid());
  for (int round = 0; round < 40; ++round) {
    victim.send("step " + std::to_string(first_seed() + round));
    snap_and_compare();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(compared_, 40U * 100U);
}

TEST_F(MemoryRoundTrip, KeepsEveryPageOfLargeMemoryThatChangesInPlaces) {
  test::Victim victim("memory_churn");
  watch(victim.pid());
  for (int round = 0; round < 30; ++round) {
    victim.send("large " + std::to_string(first_seed() + round));
    snap_and_compare();
    if (HasFatalFailure()) return;
    if (round % 3 == 0) snap_and_compare();  // nothing has run
    if (HasFatalFailure()) return;
  }
}

TEST(BufferPool, TakesFilesBeyondItsLimit) {
  using Place = BufferPool::Chunk::Place;
  const test::TempDirectory directory;
  BufferPool pool({2 * BufferPool::kChunkSize, directory.path()});
  pool.prepare(10 * BufferPool::kChunkSize);
  auto first = pool.take();
  auto second = pool.take();
  auto third = pool.take();
  EXPECT_EQ(first.place, Place::Memory);
  EXPECT_EQ(second.place, Place::Memory);
  EXPECT_EQ(third.place, Place::File);
  std::memset(third.region.data(), 1, third.region.size());
  pool.give_back(std::move(third));
  pool.give_back(std::move(second));
  EXPECT_EQ(pool.take().place, Place::Memory);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  // Without a place for files a snapshot is worth more than the limit.
  BufferPool nowhere({0, directory.path() / "none"});
  EXPECT_EQ(nowhere.take().place, Place::Memory);
}

TEST_F(MemoryRoundTrip, KeepsEveryPageBeyondTheLimitOfItsBuffers) {
  test::Victim victim("memory_churn");
  watch(victim.pid(), {0, directory_.path()});
  for (int round = 0; round < 5; ++round) {
    victim.send("step " + std::to_string(first_seed() + round));
    snap_and_compare();
    if (HasFatalFailure()) return;
  }
}

TEST_F(MemoryRoundTrip, KeepsThePagesOfForkedChildren) {
  test::Victim victim("memory_churn");
  victim.send("step 1");
  watch(victim.pid());
  snap_and_compare();
  for (int round = 0; round < 6; ++round) {
    victim.send("fork");
    victim.send("step " + std::to_string(round + 100));
    snap_and_compare();
    if (HasFatalFailure()) return;
  }
}

// As after a freeze that did not complete in time: what was copied ahead of it is not lost.
TEST_F(MemoryRoundTrip, KeepsWhatWasCopiedAheadOfASnapshotThatWasNotTaken) {
  test::Victim victim("idle");
  watch(victim.pid());
  for (int round = 0; round < 4; ++round) {
    victim.send("touch 2000");
    if (round > 1) capture_->prepare();
    snap_and_compare();
    if (HasFatalFailure()) return;
  }
}

/// "READY dontdump=A huge=B ..." as the victim memory_kinds tells it.
std::map<std::string, std::uint64_t> addresses_in(const std::string& greeting) {
  std::map<std::string, std::uint64_t> result;
  std::istringstream words(greeting);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals != std::string::npos) {
      result[word.substr(0, equals)] = std::stoull(word.substr(equals + 1));
    }
  }
  return result;
}

TEST_F(MemoryRoundTrip, LeavesOutWhatAskedNotToBeDumpedAndSaysSo) {
  test::Victim victim("memory_kinds");
  auto at = addresses_in(victim.greeting());
  watch(victim.pid());
  for (int round = 0; round < 2; ++round) {
    snap();
    const StoredSnapshot stored(*store_, {"churn", number_});
    const auto& process = stored.model().processes(0);
    std::vector<std::byte> bytes(16);
    for (const std::string kind : {"dontdump", "secret"}) {
      if (at[kind] == 0) continue;
      EXPECT_EQ(stored.read_memory(process, at[kind], bytes), 0U) << kind;
      EXPECT_FALSE(stored.page_version(process, at[kind])) << kind;
    }
    // Not in the store either, whatever the mapping says.
    EXPECT_EQ(stored.reader().version(store::SpaceId{process.space()}, at["dontdump"] / kPage).kind,
              store::PageVersion::Kind::Absent);
    EXPECT_TRUE(std::ranges::any_of(stored.model().limitations(), [](const auto& each) {
      return each.reason().find("MADV_DONTDUMP") != std::string::npos ||
             each.object().find("MADV_DONTDUMP") != std::string::npos;
    }));
  }
}

TEST_F(MemoryRoundTrip, KeepsHugePagesAndStopsAtGuards) {
  test::Victim victim("memory_kinds");
  auto at = addresses_in(victim.greeting());
  watch(victim.pid());
  snap();
  const StoredSnapshot stored(*store_, {"churn", number_});
  const auto& process = stored.model().processes(0);
  std::vector<std::byte> bytes(3 * kPage);
  for (std::uint64_t offset = 0; offset < 4U << 20U; offset += kPage) {
    ASSERT_EQ(stored.read_memory(process, at["huge"] + offset, std::span(bytes).first(8)), 8U);
    ASSERT_EQ(std::memcmp(bytes.data(), "content", 8), 0) << offset;
  }
  if (at["guarded"] == 0) GTEST_SKIP() << "needs MADV_GUARD_INSTALL (Linux 6.13)";
  EXPECT_EQ(stored.read_memory(process, at["guarded"], bytes), 2 * kPage);
  EXPECT_EQ(stored.read_memory(process, at["guarded"] + 2 * kPage, bytes), 0U);
}

TEST_F(MemoryRoundTrip, StartsAnewAfterExec) {
  test::Victim victim("memory_churn");
  watch(victim.pid());
  for (int round = 0; round < 3; ++round) {
    victim.send("step " + std::to_string(round));
    snap_and_compare();
    if (HasFatalFailure()) return;
    victim.write_line("exec");
    ASSERT_EQ(victim.read_line(), "READY");
    snap_and_compare();
    if (HasFatalFailure()) return;
  }
}

TEST_F(MemoryRoundTrip, HoldsEverythingAgainAfterASnapshotThatWasNotStored) {
  test::Victim victim("memory_churn");
  victim.send("step 7");
  watch(victim.pid());
  snap_and_compare();
  victim.send("step 8");
  ASSERT_EQ(tree_->freeze(std::chrono::seconds(5)), TracedTree::Outcome::Frozen);
  capture_->take({});  // dropped
  tree_->thaw();
  capture_->forget();
  victim.send("step 9");
  snap_and_compare();
}

}  // namespace
}  // namespace icecore::snapshot
