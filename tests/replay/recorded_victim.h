// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "snapshot/recorder.h"
#include "snapshot/stored_snapshot.h"
#include "store/store.h"
#include "tests/support/temp_directory.h"
#include "tests/support/victim.h"

namespace icecore::replay::test {

/// A victim of tests/victims, and snapshots of it in a store of its own, taken as `snap` takes
/// them. The recording is called "victim".
class RecordedVictim {
 public:
  explicit RecordedVictim(const std::string& victim,
                          const std::vector<std::string>& arguments = {});

  [[nodiscard]] icecore::test::Victim& victim() { return *victim_; }
  snapshot::RecorderOptions& options() { return options_; }
  /// Takes a snapshot, and looks at it.
  void snap() {
    record(1, [](int) {});
  }
  /// Takes `count` snapshots in one go; `before` runs ahead of each, from 0 on. Looks at the last.
  void record(int count, const std::function<void(int)>& before);
  /// What stored() is from now on.
  void look_at(std::uint64_t number);

  [[nodiscard]] const store::Store& store() const { return *store_; }
  [[nodiscard]] const snapshot::StoredSnapshot& stored() const { return *stored_; }
  [[nodiscard]] const model::Snapshot& model() const { return stored_->model(); }
  /// The descriptor that the victim told of as "name=3" in its greeting.
  [[nodiscard]] int told(const std::string& name) const;
  /// The description that it has there.
  [[nodiscard]] const model::OpenFile& file(const std::string& name) const;
  /// Ends the victim.
  void end() { victim_.reset(); }

 private:
  icecore::test::TempDirectory directory_;
  std::unique_ptr<icecore::test::Victim> victim_;
  std::string greeting_;
  snapshot::RecorderOptions options_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<snapshot::StoredSnapshot> stored_;
};

}  // namespace icecore::replay::test
