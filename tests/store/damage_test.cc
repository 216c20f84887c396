// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "store/corrupt_store.h"
#include "tests/store/store_model.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

class DamagedStore : public ::testing::Test {
 protected:
  DamagedStore() {
    Store store = Store::open_or_create(directory_.path());
    RandomWriter writer(store, model_, "hurt", 51);
    for (int i = 0; i < 30; ++i) writer.commit_one();
    pack_ = std::filesystem::directory_iterator(directory_.path() / "packs")->path();
    std::ifstream file(pack_, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }

  void write_back(const std::string& bytes) const {
    std::ofstream(pack_, std::ios::binary | std::ios::trunc) << bytes;
  }
  void set_byte(std::size_t at) const {
    std::string bytes = bytes_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
    write_back(bytes);
  }

  /// True when every page of the snapshot can be read and is right; a wrong page is a failure.
  bool reads_whole(const Store& store, const SnapshotKey& key) const {
    try {
      expect_equal(store, key, model_.recordings.at(key.recording).at(key.number));
      return true;
    } catch (const CorruptStore& error) {
      EXPECT_EQ(error.file(), pack_.string());
      EXPECT_LT(error.offset(), bytes_.size());
      return false;
    }
  }

  TemporaryDirectory directory_;
  StoreModel model_;
  std::filesystem::path pack_;
  std::string bytes_;
};

TEST_F(DamagedStore, IsFoundByVerifyAtEveryFlippedBitAndNeverReadWrong) {
  std::mt19937 random(52);
  int found = 0;
  for (int i = 0; i < 40; ++i) {
    set_byte(64 + random() % (bytes_.size() - 64));
    const Store store = Store::open(directory_.path(), Store::Access::ReadOnly);
    const VerifyReport report = store.verify({});
    std::vector<SnapshotKey> touched;
    for (const Damage& damage : report.damages) {
      EXPECT_EQ(damage.file, pack_.string());
      touched.insert(touched.end(), damage.snapshots.begin(), damage.snapshots.end());
    }
    found += report.damages.empty() ? 0 : 1;
    for (const auto& [number, snapshot] : model_.recordings["hurt"]) {
      const SnapshotKey key{"hurt", number};
      if (!reads_whole(store, key)) {
        EXPECT_NE(std::ranges::find(touched, key), touched.end()) << key.text();
      }
      if (HasFatalFailure()) return;
    }
  }
  // The rest hit padding.
  EXPECT_GE(found, 38);
}

TEST_F(DamagedStore, ReadsWhatLiesBeforeTheCutOfATruncatedPack) {
  write_back(bytes_.substr(0, bytes_.size() / 2));
  const Store store = Store::open(directory_.path(), Store::Access::ReadOnly);
  EXPECT_TRUE(reads_whole(store, {"hurt", 1}));
  EXPECT_FALSE(reads_whole(store, {"hurt", 30}));
  const VerifyReport report = store.verify({});
  ASSERT_FALSE(report.damages.empty());
  EXPECT_EQ(report.damages.back().snapshots.back().text(), "hurt@30");
}

TEST_F(DamagedStore, NamesAPackThatIsMissing) {
  std::filesystem::remove(pack_);
  const Store store = Store::open(directory_.path(), Store::Access::ReadOnly);
  EXPECT_FALSE(reads_whole(store, {"hurt", 1}));
  const VerifyReport report = store.verify({});
  ASSERT_FALSE(report.damages.empty());
  EXPECT_NE(report.damages.front().what.find("missing"), std::string::npos);
}

TEST_F(DamagedStore, KeepsTheSnapshotsThatAreWholeWhenTheIndexIsMadeAnew) {
  set_byte(bytes_.size() / 2);
  const RebuildReport report = Store::rebuild_index(directory_.path());
  EXPECT_FALSE(report.damages.empty());
  const Store store = Store::open(directory_.path(), Store::Access::ReadOnly);
  const auto snapshots = store.snapshots("hurt");
  EXPECT_GE(snapshots.size(), 5U);
  EXPECT_LT(snapshots.size(), 30U);
  for (const auto& snapshot : snapshots) EXPECT_TRUE(reads_whole(store, snapshot.key));
}

TEST_F(DamagedStore, TakesNewSnapshotsAllTheSame) {
  set_byte(bytes_.size() / 2);
  Store store = Store::open(directory_.path(), Store::Access::ReadWrite);
  RandomWriter writer(store, model_, "fresh", 53);
  writer.commit_one();
  expect_equal(store, {"fresh", 1}, model_.recordings["fresh"][1]);
}

}  // namespace
}  // namespace icecore::store::test
