// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "base/unique_fd.h"
#include "replay/image/bank_record.h"
#include "replay/restore/memory_bank.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// The copy's side of a bank: forks the process that a keeper holds. No word is spoken with the
/// keeper: who may trace that process may fork it, which is what the kernel allows to the same
/// user.
class LentBank : public MemoryBank {
 public:
  /// Null when nobody keeps a bank of this snapshot.
  static std::unique_ptr<LentBank> find(const std::filesystem::path& record,
                                        const snapshot::StoredSnapshot& image);

  [[nodiscard]] const RestoredProcess& kept() const override { return kept_; }
  int fork_into(const Nursery& nursery, const Transport& transport, int pid) override;

 private:
  LentBank(UniqueFd lock, const BankRecord& record, const snapshot::StoredSnapshot& image);

  UniqueFd lock_;
  BankRecord record_;
  model::Snapshot model_;
  RestoredProcess kept_;
  int spare_pid_;
};

}  // namespace icecore::replay
