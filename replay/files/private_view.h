// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "replay/restore/puppet.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// The directories that hold files which the tree may write: opened for writing, or mapped shared.
/// Only the topmost of those inside each other.
[[nodiscard]] std::vector<std::string> private_directories(const model::Snapshot& snapshot);

/// Those of a sandbox: also where the tree has names of sockets, or a working directory that was
/// deleted, and where programs keep what need not last, or wait for connections. What is not there
/// any more is replaced by what is above it.
struct SandboxDirectories {
  std::vector<std::string> needed;
  /// The restore goes on without those that cannot be had.
  std::vector<std::string> wished;
};
[[nodiscard]] SandboxDirectories sandbox_directories(const model::Snapshot& snapshot);

/// Makes every mount of the namespace that `init` lives in read-only.
void forbid_writing(Puppet& init);

/// The same for the machine's settings in the namespace's own /proc, which must be mounted.
void forbid_settings(Puppet& init);

/// Gives the mount namespace that `init` lives in a view of its own of `directories`: what is
/// written below them goes to memory (a tmpfs that ends with the namespace), by an overlay over
/// each. Mounts inside them stay where they are, and shared. To be called while propagation is off
/// already and the namespace's own /proc is not mounted yet.
void make_private_view(Puppet& init, const std::vector<std::string>& directories,
                       const std::vector<std::string>& wished);

}  // namespace icecore::replay
