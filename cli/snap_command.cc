// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <fstream>
#include <iostream>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/recorders.h"
#include "cli/recording_options.h"
#include "snapshot/capture/attachable.h"
#include "snapshot/recorder.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME|PID", Argument::Count::One, Completes::RecordingOrPid},
};
constexpr std::array kOptions = {
    kTagOption,
    kNameOption,
    kFreezeTimeoutOption,
    kFilesOption,
    kFilesLimitOption,
    kBufferOption,
    kUndumpableOption,
    Option{"kill", 0, "", "end the tree once the snapshot is safely stored"},
    Option{"json", 0, "", "print the snapshot's row of `list` as a JSON object"},
};

int print(const Invocation& invocation, const store::SnapshotKey& key) {
  if (invocation.has("json")) {
    const auto store = open_store(invocation, store::Store::Access::ReadOnly);
    std::cout << json_text(to_json(store.summary(key)));
  } else {
    std::cout << key.text() << "\n";
  }
  return 0;
}

std::uint64_t snap_process(const Invocation& invocation, store::Store& store, int pid,
                           const std::string& name, std::string_view comm) {
  auto writer = store.write(name);
  writer.describe(std::string(comm) + " (snap)", pid);
  snapshot::RecorderOptions options;
  options.tag = invocation.text("tag");
  options.files = file_keeping(invocation);
  options.buffer_bytes = buffer_bytes(invocation);
  options.freeze_timeout = invocation.duration("freeze-timeout").value_or(std::chrono::seconds(2));
  snapshot::Recorder recorder(std::move(writer), store.directory(), pid, options);
  return recorder.snap_once(invocation.has("kill") ? snapshot::Recorder::Afterwards::Kill
                                                   : snapshot::Recorder::Afterwards::Resume);
}

int run(const Invocation& invocation) {
  const std::string word = invocation.argument(0);
  const auto directory = invocation.store_directory();
  if (const auto recorder = find_recorder(directory, word)) {
    const std::string verb = invocation.has("kill") ? "snapkill " : "snap ";
    const auto answer = ask(directory, recorder->recording, verb + invocation.text("tag"));
    return print(invocation, {recorder->recording, std::stoull(answer)});
  }
  const auto pid = as_pid(word);
  if (!pid) throw_not_recorded(directory, word);
  snapshot::require_attachable(*pid, invocation.has("allow-undumpable")
                                         ? snapshot::Undumpable::Allow
                                         : snapshot::Undumpable::Refuse);
  snapshot::block_recorder_signals();
  auto store = open_or_create_store(invocation);
  std::ifstream comm_file("/proc/" + word + "/comm");
  std::string comm;
  std::getline(comm_file, comm);
  const std::string name = recording_name(invocation, store, *pid, comm);
  return print(invocation, {name, snap_process(invocation, store, *pid, name, comm)});
}

}  // namespace

Command snap_command() {
  return {.name = "snap",
          .group = Group::Take,
          .summary = "take one snapshot now",
          .usage = "snap [--tag TAG] [--kill] NAME|PID",
          .description =
              "Asks the recorder of NAME (or of the tree whose root is PID) for a snapshot, or "
              "takes one "
              "of process PID and its descendants itself. Returns when the snapshot is stored, and "
              "prints "
              "its name.",
          .arguments = kArguments,
          .options = kOptions,
          .examples =
              "icecore snap redis-server --tag before-upgrade\n"
              "icecore snap --kill 4242  # suspend: store it, then end it",
          .run = run};
}

}  // namespace icecore::cli
