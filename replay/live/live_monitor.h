// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gdbstub/target/monitor.h"
#include "replay/live/live_options.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// `monitor help|info` of living processes.
class LiveMonitor : public gdbstub::Monitor {
 public:
  LiveMonitor(const LiveTree& tree, const LiveOptions& options) : tree_(tree), options_(options) {}
  std::string run(std::string_view line, gdbstub::ThreadId current) override;

 private:
  [[nodiscard]] std::string info(gdbstub::ThreadId current) const;
  const LiveTree& tree_;
  const LiveOptions& options_;
};

}  // namespace icecore::replay
