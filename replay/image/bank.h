// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "replay/files/description_maker.h"
#include "replay/image/bank_record.h"
#include "replay/restore/memory_builder.h"
#include "replay/restore/nursery.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// The keeper's side of a bank: a process that has the memory of an image's root at its addresses,
/// in huge pages where it is dense, so that a fork of it is a matter of a millisecond or two. It
/// does nothing, has no files, and ends with this object or this process.
class Bank {
 public:
  /// `pages` may be null; see RestoreOptions.
  Bank(const snapshot::StoredSnapshot& image, const PageSource* pages);

  [[nodiscard]] BankRecord record() const;

 private:
  void use_huge_pages();

  snapshot::StoredSnapshot banked_;
  Transport transport_;
  Nursery nursery_;
  Surroundings surroundings_;
  SharedObjects shared_;
  MemoryBuilder memory_;
  std::optional<RestoredProcess> process_;
};

}  // namespace icecore::replay
