// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "gdbstub/target/attaching.h"
#include "gdbstub/target/launching.h"
#include "replay/live/live_options.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// Starts a program under the tree's control: stopped before its first instruction, to die with us.
/// Throws Error with the reason when it cannot be started.
gdbstub::StopEvent launch(LiveTree& tree, const gdbstub::LaunchRequest& request,
                          const LiveOptions& options);

/// Programs and processes that a client chooses.
class LiveStarting : public gdbstub::Attaching, public gdbstub::Launching {
 public:
  LiveStarting(LiveTree& tree, const LiveOptions& options) : tree_(tree), options_(options) {}
  gdbstub::StopEvent attach(std::int32_t pid) override;
  gdbstub::StopEvent launch(const gdbstub::LaunchRequest& request) override;

 private:
  LiveTree& tree_;
  const LiveOptions& options_;
  std::optional<gdbstub::LaunchRequest> last_;
};

}  // namespace icecore::replay
