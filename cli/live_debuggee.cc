// SPDX-License-Identifier: Apache-2.0
#include "cli/live_debuggee.h"

#include "replay/live/live_starting.h"
#include "replay/live/live_target.h"

namespace icecore::cli {

LiveDebuggee::LiveDebuggee(const replay::LiveOptions& options)
    : options_(options), tree_(std::make_shared<replay::LiveTree>()) {
  if (options_.title.empty()) options_.title = "processes to be chosen";
}

void LiveDebuggee::launch(const std::vector<std::string>& words) {
  gdbstub::LaunchRequest request;
  request.program = words.front();
  request.arguments.assign(words.begin() + 1, words.end());
  const auto event = replay::launch(*tree_, request, options_.streams);
  options_.title = words.front() + " (process " + std::to_string(event.thread.pid) + ")";
}

void LiveDebuggee::attach(std::int32_t pid) {
  tree_->attach(pid);
  options_.title = "process " + std::to_string(pid);
}

gdbstub::TargetFactory LiveDebuggee::targets() const {
  return [this] { return std::make_unique<replay::LiveTarget>(tree_, options_); };
}

}  // namespace icecore::cli
