// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "store/recording_writer.h"
#include "store/snapshot_reader.h"
#include "store/store.h"

namespace icecore::store::test {

/// What the store should hold, kept the simple way: every page of every snapshot in memory.
class StoreModel {
 public:
  using PageBytes = std::shared_ptr<const std::vector<std::byte>>;
  using Pages = std::map<std::uint64_t, PageBytes>;  // by page number; what is not there is absent
  using Snapshot = std::map<std::uint64_t, Pages>;   // by space
  using Recording = std::map<std::uint64_t, Snapshot>;  // by snapshot number

  std::map<std::string, Recording> recordings;
};

/// Compares every page of `snapshot`, what is present, and the record, with the store.
void expect_equal(const Store& store, const SnapshotKey& key, const StoreModel::Snapshot& snapshot);
void expect_all_equal(const Store& store, const StoreModel& model);

/// The model bytes that RandomWriter commits with a snapshot.
[[nodiscard]] std::vector<std::byte> record_of(const SnapshotKey& key);

/// Writes snapshots of random changes and keeps the model in step. Equal seeds do equal things.
class RandomWriter {
 public:
  RandomWriter(Store& store, StoreModel& model, const std::string& recording, std::uint32_t seed);

  /// Returns the number.
  std::uint64_t commit_one();
  /// Begins a snapshot, writes some of it, and drops it.
  void drop_one();

 private:
  struct Change;
  std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  StoreModel::PageBytes random_page(const StoreModel::PageBytes& before);
  void write_space(SnapshotWriter& snapshot, std::uint64_t space, StoreModel::Snapshot& next);
  void add_spaces();
  void end_spaces(SnapshotWriter& snapshot, StoreModel::Snapshot& next);

  StoreModel::Recording& recording_;
  RecordingWriter writer_;
  std::mt19937 random_;
  StoreModel::Snapshot head_;
};

}  // namespace icecore::store::test
