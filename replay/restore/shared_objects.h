// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "base/unique_fd.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// Memory that several mappings share, made and filled in this process and mapped by the puppets
/// through descriptors: all of them see the same pages, as before.
class SharedObjects {
 public:
  /// Opens files of file systems: see replay/files.
  using OpenFile = std::function<UniqueFd(const model::SharedObject& object)>;

  SharedObjects(const snapshot::StoredSnapshot& snapshot, OpenFile open_file);

  /// The object of SharedObject.space; throws when there is none.
  [[nodiscard]] int descriptor(std::uint64_t space) const;
  /// The id by which shmat(2) attaches it, when it is System V shared memory: see
  /// memory_segments.h.
  [[nodiscard]] std::optional<int> segment(std::uint64_t space) const;

 private:
  UniqueFd make(const model::SharedObject& object);
  UniqueFd make_anonymous(const model::SharedObject& object, int flags) const;
  UniqueFd make_memfd(const model::SharedObject& object, unsigned flags) const;
  void fill(int fd, const model::SharedObject& object) const;

  const snapshot::StoredSnapshot& snapshot_;
  OpenFile open_file_;
  std::map<std::uint64_t, UniqueFd> objects_;
};

}  // namespace icecore::replay
