// SPDX-License-Identifier: Apache-2.0
#include "cli/live_debuggee.h"

#include "replay/live/live_starting.h"
#include "replay/timeline/time_target.h"

namespace icecore::cli {

LiveDebuggee::LiveDebuggee(const replay::LiveOptions& options)
    : options_(options),
      recording_(std::make_unique<replay::LiveRecording>()),
      tree_(std::make_shared<replay::LiveTree>()) {
  tree_->observe(recording_.get());
  if (options_.title.empty()) options_.title = "processes to be chosen";
}

void LiveDebuggee::launch(const std::vector<std::string>& words) {
  gdbstub::LaunchRequest request;
  request.program = words.front();
  request.arguments.assign(words.begin() + 1, words.end());
  launch(request);
}

gdbstub::StopEvent LiveDebuggee::launch(const gdbstub::LaunchRequest& request) {
  const auto event = replay::launch(*tree_, request, options_);
  options_.program = request;
  options_.title = request.program + " (process " + std::to_string(event.thread.pid) + ")";
  return event;
}

std::vector<std::int32_t> LiveDebuggee::processes(replay::LiveProcess::Ownership ownership) const {
  std::vector<std::int32_t> pids;
  for (const auto& [pid, process] : tree_->processes()) {
    if (process.ownership == ownership) pids.push_back(pid);
  }
  return pids;
}

void LiveDebuggee::attach(std::int32_t pid) {
  tree_->attach(pid);
  options_.title = "process " + std::to_string(pid);
}

std::vector<std::string> LiveDebuggee::restore(const snapshot::StoredSnapshot& snapshot,
                                               const replay::RevivalOptions& options) {
  options_.origin = snapshot.key().text();
  options_.origin_recording = snapshot.key().recording;
  revival_ = std::make_unique<replay::Revival>(*tree_, snapshot, options);
  options_.title =
      snapshot.key().text() + " (restored as process " + std::to_string(revival_->root_pid()) + ")";
  return revival_->notes();
}

gdbstub::TargetFactory LiveDebuggee::targets() const {
  return [this] { return std::make_unique<replay::TimeTarget>(tree_, options_, *recording_); };
}

}  // namespace icecore::cli
