// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gdbstub/server.h"
#include "replay/live/live_options.h"
#include "replay/live/live_tree.h"
#include "replay/live/revival.h"
#include "replay/timeline/live_recording.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::cli {

/// The living processes that a stub serves, one client after another. Made on the thread that
/// serves: it is their tracer. At its end what it has started dies, and what it has attached to
/// runs on.
class LiveDebuggee {
 public:
  explicit LiveDebuggee(const replay::LiveOptions& options);

  /// Throw Error when that cannot be done.
  void launch(const std::vector<std::string>& words);
  gdbstub::StopEvent launch(const gdbstub::LaunchRequest& request);
  void attach(std::int32_t pid);
  /// Returns what came back other than it was, one line each.
  std::vector<std::string> restore(const snapshot::StoredSnapshot& snapshot,
                                   const replay::RevivalOptions& options);

  [[nodiscard]] const std::string& title() const { return options_.title; }
  /// The processes that end with this object, or those that live on.
  [[nodiscard]] std::vector<std::int32_t> processes(replay::LiveProcess::Ownership ownership) const;
  /// This object must outlive it.
  [[nodiscard]] gdbstub::TargetFactory targets() const;

 private:
  replay::LiveOptions options_;
  std::unique_ptr<replay::LiveRecording> recording_;  ///< outlives the tree that it sees run
  std::shared_ptr<replay::LiveTree> tree_;
  std::unique_ptr<replay::Revival> revival_;
};

}  // namespace icecore::cli
