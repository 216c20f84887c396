// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/commands.h"
#include "cli/open_store.h"
#include "cli/program_status.h"
#include "cli/recording_options.h"
#include "snapshot/recorder.h"
#include "snapshot/tracing/launch.h"

namespace icecore::cli {
namespace {

constexpr std::array kOptions = {
    kEveryOption,
    kCountOption,
    kNameOption,
    kTagOption,
    kFreezeTimeoutOption,
    kFilesOption,
    kFilesLimitOption,
    kBufferOption,
    Option{
        "crash", 0, "on|off",
        "take a last snapshot when the program is about to die of a signal; needs the tree to stay "
        "traced between snapshots",
        Completes::Nothing, "on"},
};

// As env(1) and nice(1): 125 we failed, 126 it cannot be executed, 127 there is no such program.
constexpr int kOurFailure = 125;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

int exec_failure(const std::string& program, int error) {
  Error failure("run " + program + ": " + std::strerror(error), error);
  if (error == ENOENT) failure.set_hint("command -v " + program);
  failure.set_exit_status(static_cast<ExitStatus>(error == ENOENT ? 127 : 126));
  throw failure;
}

int run_recorded(const Invocation& invocation) {
  const auto& words = invocation.rest();
  const std::string base = std::filesystem::path(words.front()).filename().string();
  const sigset_t mask = snapshot::block_recorder_signals();
  auto store = open_or_create_store(invocation);
  const std::string name = recording_name(invocation, store, base);
  auto writer = store.write(name);
  if (writer.next_number() > 1) {
    throw Error("recording " + name + " exists already")
        .set_hint("choose another --name, or: icecore rm " + name);
  }
  // Orphans of the tree come to us instead of init, and so stay in the tree.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);

  snapshot::LaunchedProgram program(words, mask);
  writer.describe(joined(words), program.pid());
  auto options = recorder_options(invocation);
  options.first = snapshot::RecorderOptions::First::AfterInterval;
  options.after_count = snapshot::RecorderOptions::AfterCount::Wait;
  options.signals = snapshot::RecorderOptions::Signals::PassOn;
  if (invocation.text("crash") == "on") options.between = snapshot::TracedTree::Between::Attached;
  snapshot::Recorder recorder(std::move(writer), store.directory(), program.pid(), options);
  recorder.attach();
  program.let_go();
  const auto end = recorder.run();
  if (const int error = program.exec_errno(); error != 0) return exec_failure(words.front(), error);
  note_end(invocation, name, recorder);
  if (end != snapshot::Recorder::End::RootExited || !recorder.root_status()) return 0;
  return pass_on(*recorder.root_status());
}

int run(const Invocation& invocation) {
  if (invocation.rest().empty()) throw UsageError("icecore run: no program to run");
  try {
    return run_recorded(invocation);
  } catch (Error& error) {
    if (error.exit_status() == ExitStatus::Failed) {
      error.set_exit_status(static_cast<ExitStatus>(kOurFailure));
    }
    throw;
  }
}

}  // namespace

Command run_command() {
  return {
      .name = "run",
      .group = Group::Take,
      .summary = "start a program and snapshot its tree periodically",
      .usage = "run [--every TIME] [--name NAME] [--] PROGRAM ARGS...",
      .description =
          "Runs PROGRAM with the same terminal, files, environment and signals as without icecore, "
          "and takes a numbered snapshot of it and all its descendants every --every. The exit "
          "status is the program's own, or 125 when icecore failed, 126 when PROGRAM cannot be "
          "executed, 127 when there is none.\n\n"
          "When a process of the tree is about to die of a signal that dumps core (or the program "
          "itself of any signal but SIGKILL), a last snapshot is taken at that instruction.",
      .options = kOptions,
      .rest = Rest::FromFirstWord,
      .examples =
          "icecore run --every 500ms -- redis-server --port 7000  # twice a second\n"
          "icecore run ./server  # every second",
      .run = run};
}

}  // namespace icecore::cli
