// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/nursery.h"
#include "replay/restore/restored_process.h"
#include "replay/restore/transport.h"

namespace icecore::replay {

/// Has the memory of a tree's root ready in a process of its own, so that the root is born with it
/// instead of being filled.
class MemoryBank {
 public:
  MemoryBank() = default;
  MemoryBank(const MemoryBank&) = delete;
  MemoryBank& operator=(const MemoryBank&) = delete;
  virtual ~MemoryBank() = default;

  /// What has been made of the root already. Its model has only the mappings that a fork can keep.
  [[nodiscard]] virtual const RestoredProcess& kept() const = 0;
  /// A fork of it as child of the nursery and in its namespaces, with the pid `pid` there; traced
  /// by us and stopped. Returns its pid in our namespace.
  virtual int fork_into(const Nursery& nursery, const Transport& transport, int pid) = 0;
};

}  // namespace icecore::replay
