// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/store/store_model.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

TEST(IndexRebuilder, MakesTheIndexAnewFromThePacksAlone) {
  const TemporaryDirectory directory;
  StoreModel model;
  {
    Store store = Store::open_or_create(directory.path());
    RandomWriter first(store, model, "first", 21);
    RandomWriter second(store, model, "second", 22);
    for (int i = 0; i < 40; ++i) {
      first.commit_one();
      if (i % 3 == 0) second.commit_one();
      if (i % 5 == 0) first.drop_one();
    }
    // What gc has copied must be found as well.
    std::vector<SnapshotKey> keys;
    for (std::uint64_t number = 5; number < 30; ++number) {
      keys.push_back({"first", number});
      model.recordings["first"].erase(number);
    }
    store.remove(keys);
  }
  Store::open(directory.path(), Store::Access::ReadWrite).collect_garbage();
  std::filesystem::remove(directory.path() / "index.db");
  const RebuildReport report = Store::rebuild_index(directory.path());
  EXPECT_EQ(report.recordings, 2U);
  EXPECT_GE(report.snapshots, 15U + 14U);
  Store store = Store::open(directory.path(), Store::Access::ReadWrite);
  expect_all_equal(store, model);
  EXPECT_TRUE(store.verify({}).damages.empty());
  EXPECT_GE(store.write("first").next_number(), 41U);

  // And it goes on: a writer on the rebuilt index.
  RandomWriter writer(store, model, "second", 23);
  for (int i = 0; i < 10; ++i) writer.commit_one();
  expect_all_equal(store, model);
}

}  // namespace
}  // namespace icecore::store::test
