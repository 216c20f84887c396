// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "snapshot/stored_snapshot.h"
#include "store/store.h"
#include "tests/support/temp_directory.h"
#include "tests/support/victim.h"

namespace icecore::replay::test {

/// A victim of tests/victims, and snapshots of it in a store of its own, taken as `snap` takes
/// them.
class RecordedVictim {
 public:
  explicit RecordedVictim(const std::string& victim,
                          const std::vector<std::string>& arguments = {});

  [[nodiscard]] icecore::test::Victim& victim() { return *victim_; }
  /// Takes a snapshot; stored() is it from now on.
  void snap();
  [[nodiscard]] const snapshot::StoredSnapshot& stored() const { return *stored_; }
  [[nodiscard]] const model::Snapshot& model() const { return stored_->model(); }
  /// Ends the victim.
  void end() { victim_.reset(); }

 private:
  icecore::test::TempDirectory directory_;
  std::unique_ptr<icecore::test::Victim> victim_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<snapshot::StoredSnapshot> stored_;
};

}  // namespace icecore::replay::test
