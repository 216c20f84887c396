// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "replay/restore/puppet.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// Hands descriptors of this process to puppets, by SCM_RIGHTS over one socket whose far end all
/// puppets have at the same number. Puppets are driven one at a time, so that each gets its own.
class Transport {
 public:
  /// `number`: where the far end is in puppets; above all descriptors of the tree.
  explicit Transport(int number);

  [[nodiscard]] int number() const { return number_; }
  /// The far end, to be inherited by the first puppet.
  [[nodiscard]] int far_end() const { return far_.get(); }
  void close_far_end() { far_.reset(); }

  /// Returns the numbers that `fds` got in the puppet: the lowest free ones, in order.
  std::vector<int> send(Puppet& puppet, std::span<const int> fds) const;

 private:
  int number_;
  UniqueFd near_;
  UniqueFd far_;
};

/// The number for a Transport: above all descriptors of the tree, and of our own. The seed gets its
/// descriptors at these numbers, which must not be the ones they still have.
[[nodiscard]] int transport_number(const model::Snapshot& snapshot);

}  // namespace icecore::replay
