// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

namespace icecore::replay {

/// What a restore does about files that the tree had open for writing, or that have changed.
struct FileOptions {
  enum class Changed {
    Refuse,    ///< the default: a file that matters has changed since: say which
    Keep,      ///< use them as they are now
    Rollback,  ///< write the contents back that the snapshot holds
    Private,   ///< a private overlay in the restored tree's own mount namespace
    /// The same for a life that is only looked at: what the snapshot does not hold is there as it
    /// is now, and no other file of the machine can be written.
    Sandbox,
  };
  [[nodiscard]] bool has_private_view() const {
    return changed == Changed::Private || changed == Changed::Sandbox;
  }
  Changed changed = Changed::Refuse;
  enum class Tcp {
    Refuse,  ///< connections that leave the tree are refused by name
    Close,   ///< they come back as reset
  };
  Tcp tcp = Tcp::Refuse;
  /// Descriptions that the caller has already, by OpenFile.id: its own descriptors, such as
  /// listening sockets that a service manager handed over. They are used instead of new ones.
  std::map<std::uint32_t, int> given{};
};

}  // namespace icecore::replay
