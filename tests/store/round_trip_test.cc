// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/store/store_model.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

TEST(Store, GivesBackHundredsOfRandomSnapshotsFromThisAndALaterOpening) {
  const TemporaryDirectory directory;
  StoreModel model;
  {
    Store store = Store::open_or_create(directory.path());
    RandomWriter writer(store, model, "random", 1);
    for (int i = 0; i < 300; ++i) {
      writer.commit_one();
      if (i % 7 == 0) writer.drop_one();
    }
    expect_all_equal(store, model);
  }
  const Store store = Store::open(directory.path(), Store::Access::ReadOnly);
  expect_all_equal(store, model);
  EXPECT_EQ(store.snapshots("random").size(), 300U);
}

}  // namespace
}  // namespace icecore::store::test
