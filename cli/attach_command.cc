// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <fstream>

#include "cli/commands.h"
#include "cli/open_store.h"
#include "cli/recorders.h"
#include "cli/recording_options.h"
#include "snapshot/capture/attachable.h"
#include "snapshot/recorder.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"PID", Argument::Count::One, Completes::Pid},
};
constexpr std::array kOptions = {
    kEveryOption,
    kCountOption,
    kNameOption,
    kTagOption,
    kFreezeTimeoutOption,
    kFilesOption,
    kFilesLimitOption,
    kBufferOption,
    kUndumpableOption,
    Option{"crash", 0, "on|off",
           "take a last snapshot when a process is about to die of a signal; keeps the tree traced "
           "between snapshots",
           Completes::Nothing, "off"},
};

int run(const Invocation& invocation) {
  const auto pid = as_pid(invocation.argument(0));
  if (!pid) {
    throw UsageError("icecore attach: '" + invocation.argument(0) + "' is no process id");
  }
  snapshot::require_attachable(*pid, invocation.has("allow-undumpable")
                                         ? snapshot::Undumpable::Allow
                                         : snapshot::Undumpable::Refuse);
  snapshot::block_recorder_signals();
  auto store = open_or_create_store(invocation);
  if (const auto other = find_recorder(store.directory(), invocation.argument(0))) {
    throw Error("process " + std::to_string(*pid) + " is being recorded already, as " +
                other->recording + " by process " + std::to_string(other->report.owner_pid))
        .set_hint("icecore snap " + other->recording);
  }
  std::ifstream comm_file("/proc/" + std::to_string(*pid) + "/comm");
  std::string comm;
  std::getline(comm_file, comm);
  const std::string name = recording_name(invocation, store, *pid, comm);
  auto writer = store.write(name);
  writer.describe(comm + " (attached)", *pid);
  auto options = recorder_options(invocation);
  if (invocation.text("crash") == "on") options.between = snapshot::TracedTree::Between::Attached;
  const bool stay = options.between == snapshot::TracedTree::Between::Attached;
  snapshot::Recorder recorder(std::move(writer), store.directory(), *pid, options);
  invocation.note("recording process " + std::to_string(*pid) + " as " + name +
                  "; Ctrl-C ends it and leaves the process alone");
  if (stay) recorder.attach();
  recorder.run();
  note_end(invocation, name, recorder);
  return 0;
}

}  // namespace

Command attach_command() {
  return {
      .name = "attach",
      .group = Group::Take,
      .summary = "snapshot a tree that already runs, periodically",
      .usage = "attach [--every TIME] [--count N] PID",
      .description =
          "Takes a numbered snapshot of process PID and all its descendants now and every --every, "
          "until the tree ends, --count is reached, or Ctrl-C. Between snapshots nothing is "
          "attached; afterwards nothing is left behind.",
      .arguments = kArguments,
      .options = kOptions,
      .examples =
          "icecore attach --every 1s $(pidof redis-server)\n"
          "icecore attach --count 1 4242  # one snapshot",
      .run = run};
}

}  // namespace icecore::cli
