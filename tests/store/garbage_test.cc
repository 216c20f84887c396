// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "tests/store/store_model.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

/// Removes random snapshots from store and model alike.
void remove_some(Store& store, StoreModel& model, std::mt19937& random) {
  std::vector<SnapshotKey> keys;
  for (auto& [name, recording] : model.recordings) {
    for (auto at = recording.begin(); at != recording.end();) {
      if (random() % 4 != 0) {
        ++at;
        continue;
      }
      keys.push_back({name, at->first});
      at = recording.erase(at);
    }
  }
  store.remove(keys);
}

TEST(GarbageCollection, NeverHarmsAnotherSnapshotWhateverIsRemovedInWhateverOrder) {
  const TemporaryDirectory directory;
  Store store = Store::open_or_create(directory.path());
  StoreModel model;
  std::mt19937 random(5);
  auto first = std::make_unique<RandomWriter>(store, model, "first", 2);
  RandomWriter second(store, model, "second", 3);
  for (std::uint32_t round = 0; round < 16; ++round) {
    for (int i = 0; i < 8; ++i) first->commit_one();
    for (int i = 0; i < 5; ++i) second.commit_one();
    remove_some(store, model, random);
    if (round % 5 == 4) {  // a new writer of the same recording, with the old one's packs behind it
      first.reset();
      first = std::make_unique<RandomWriter>(store, model, "first", 100 + round);
    }
    if (round % 2 == 1) store.collect_garbage();
    expect_all_equal(store, model);
    if (HasFatalFailure()) return;
  }
  EXPECT_TRUE(store.verify({}).damages.empty());
  const Store again = Store::open(directory.path(), Store::Access::ReadOnly);
  expect_all_equal(again, model);
}

TEST(GarbageCollection, GivesAllSpaceBackWhenEverythingIsRemoved) {
  const TemporaryDirectory directory;
  Store store = Store::open_or_create(directory.path());
  StoreModel model;
  {
    RandomWriter writer(store, model, "gone", 7);
    for (int i = 0; i < 20; ++i) writer.commit_one();
  }
  store.remove_recording("gone");
  const GarbageReport report = store.collect_garbage();
  EXPECT_GT(report.bytes_before, 100'000U);
  EXPECT_EQ(report.bytes_after, 0U);
  EXPECT_TRUE(store.recordings().empty());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path() / "packs"));
}

TEST(GarbageCollection, CopiesWhatLivesOutOfASparsePack) {
  const TemporaryDirectory directory;
  Store store = Store::open_or_create(directory.path());
  StoreModel model;
  {
    RandomWriter writer(store, model, "sparse", 8);
    for (int i = 0; i < 40; ++i) writer.commit_one();
  }
  auto& recording = model.recordings["sparse"];
  std::vector<SnapshotKey> keys;
  for (const auto& [number, snapshot] : recording) {
    if (number != 3) keys.push_back({"sparse", number});
  }
  store.remove(keys);
  std::erase_if(recording, [](const auto& entry) { return entry.first != 3; });
  const GarbageReport report = store.collect_garbage();
  EXPECT_EQ(report.packs_rewritten, 1U);
  EXPECT_LT(report.bytes_after * 2, report.bytes_before);
  expect_all_equal(store, model);
  EXPECT_TRUE(store.verify({}).damages.empty());
}

TEST(GarbageCollection, LeavesARemovedSnapshotToTheReaderThatHasItOpen) {
  const TemporaryDirectory directory;
  Store store = Store::open_or_create(directory.path());
  StoreModel model;
  {
    RandomWriter writer(store, model, "read", 9);
    for (int i = 0; i < 10; ++i) writer.commit_one();
  }
  Store other = Store::open(directory.path(), Store::Access::ReadOnly);
  {
    const SnapshotReader reader = other.read({"read", 10});
    store.remove_recording("read");
    store.collect_garbage();
    std::array<std::byte, kPageSize> bytes{};
    for (const auto& [space, pages] : model.recordings["read"][10]) {
      for (const auto& [page, content] : pages) {
        ASSERT_NE(reader.read_page(SpaceId{space}, page, bytes), PageVersion::Kind::Absent);
        ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), content->begin()));
      }
    }
  }
  EXPECT_EQ(store.collect_garbage().bytes_after, 0U);
}

TEST(GarbageCollection, NeverGivesANumberTwice) {
  const TemporaryDirectory directory;
  Store store = Store::open_or_create(directory.path());
  StoreModel model;
  {
    RandomWriter writer(store, model, "numbers", 10);
    for (int i = 0; i < 5; ++i) writer.commit_one();
  }
  store.remove(std::vector<SnapshotKey>{{"numbers", 4}, {"numbers", 5}});
  store.collect_garbage();
  EXPECT_EQ(store.write("numbers").next_number(), 6U);
}

}  // namespace
}  // namespace icecore::store::test
