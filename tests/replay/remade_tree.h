// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "replay/files/description_maker.h"
#include "snapshot/stored_snapshot.h"
#include "store/store.h"
#include "tests/support/temp_directory.h"
#include "tests/support/victim.h"

namespace icecore::replay::test {

/// The open files of a victim, captured, stored, and made again in this process: `before` is how
/// capture saw the victim's, `after` how it sees ours. The victim says in its greeting which
/// descriptors it has, "name=fd" each.
class RemadeTree {
 public:
  explicit RemadeTree(const std::string& victim);

  /// Makes them; the victim is killed first, as what it has open may be there only once.
  void make();

  [[nodiscard]] const model::OpenFile& before(const std::string& name) const;
  [[nodiscard]] const model::OpenFile& after(const std::string& name) const;
  /// Our descriptor for it.
  [[nodiscard]] int fd(const std::string& name) const;
  /// The number that the victim told.
  [[nodiscard]] int told(const std::string& name) const { return told_.at(name); }
  /// What a restore would refuse, "fd N (target): reason" each, for this descriptor.
  [[nodiscard]] std::string refusal(const std::string& name) const;
  [[nodiscard]] int victim_pid() const { return victim_pid_; }
  FileOptions& options() { return options_; }
  [[nodiscard]] const model::Snapshot& model() const { return stored_->model(); }
  [[nodiscard]] const snapshot::StoredSnapshot& stored() const { return *stored_; }

 private:
  void store(const model::Snapshot& captured);

  icecore::test::TempDirectory directory_;
  std::unique_ptr<icecore::test::Victim> victim_;
  int victim_pid_ = 0;
  FileOptions options_;
  std::map<std::string, int> told_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<snapshot::StoredSnapshot> stored_;
  Descriptions made_;
  model::Snapshot after_;
};

}  // namespace icecore::replay::test
