// SPDX-License-Identifier: Apache-2.0
#include "cli/revived_snapshot.h"

#include <memory>
#include <string>

#include "cli/live_debuggee.h"

namespace icecore::cli {
namespace {

replay::RevivalOptions options_of(const Invocation& invocation, const ViewedSnapshot& viewed) {
  using replay::RevivalOptions;
  RevivalOptions options;
  const std::string share = invocation.text("share");
  if (share == "files" || share == "all") options.files = RevivalOptions::Files::Shared;
  if (share == "net" || share == "all") options.network = RevivalOptions::Network::Shared;
  options.first = viewed.process();
  return options;
}

}  // namespace

void check_sharing(const Invocation& invocation) {
  if (invocation.has("share") && !invocation.has("live")) {
    throw UsageError("--share says what the sandbox of --live shares");
  }
}

gdbstub::TargetFactory revived_targets(const Invocation& invocation, const ViewedSnapshot& viewed) {
  const auto debuggee = std::make_shared<LiveDebuggee>(replay::LiveOptions{});
  const auto notes = debuggee->restore(*viewed.open(), options_of(invocation, viewed));
  for (const auto& note : notes) invocation.note("note: " + note);
  return [debuggee] { return debuggee->targets()(); };
}

}  // namespace icecore::cli
