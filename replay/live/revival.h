// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "replay/live/live_tree.h"
#include "replay/restore/restorer.h"

namespace icecore::replay {

/// What a revival has in common with the machine; the rest is its own.
struct RevivalOptions {
  enum class Files { Own, Shared };    ///< Own: what it writes is gone with it
  enum class Network { Own, Shared };  ///< Own: reaches nobody
  Files files = Files::Own;
  Network network = Network::Own;
  /// The process to show first, by its pid in the snapshot; 0 for the one that crashed or the root.
  std::int32_t first = 0;
};

/// A snapshot restored as stopped processes of `tree`: in PID, mount and time namespaces of its
/// own, connections that leave it being reset. Ends with this object, whatever it has started. Made
/// and ended on the tree's thread.
class Revival {
 public:
  /// Throws Error, or Refused with everything that cannot be restored; then nothing is left.
  Revival(LiveTree& tree, const snapshot::StoredSnapshot& snapshot, const RevivalOptions& options);
  Revival(const Revival&) = delete;
  Revival& operator=(const Revival&) = delete;
  ~Revival();

  /// What came back other than it was, one line each.
  [[nodiscard]] const std::vector<std::string>& notes() const { return restored_.notes; }
  [[nodiscard]] int root_pid() const { return restored_.root_pid; }

 private:
  void take_over(std::int32_t wanted);

  LiveTree& tree_;
  RestoredTree restored_;
};

}  // namespace icecore::replay
