// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "cli/commands.h"
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
    kNameOption,
    kFreezeTimeoutOption,
    kUndumpableOption,
};

// Silence is no success: a holder that dies at once must not be taken for a frozen tree.
constexpr std::string_view kFrozen = "frozen";

/// In a process of its own, in the background: freezes the tree and holds it until `thaw`.
[[noreturn]] void hold_frozen(const Invocation& invocation, int pid, int answer) {
  std::string error;
  try {
    ::setsid();
    snapshot::block_recorder_signals();
    auto store = open_or_create_store(invocation);
    std::ifstream comm_file("/proc/" + std::to_string(pid) + "/comm");
    std::string comm;
    std::getline(comm_file, comm);
    auto writer = store.write(recording_name(invocation, store, comm));
    writer.describe(comm + " (frozen)", pid);
    snapshot::RecorderOptions options;
    options.freeze_timeout =
        invocation.duration("freeze-timeout").value_or(std::chrono::seconds(2));
    options.purpose = snapshot::RecorderOptions::Purpose::HoldFrozen;
    snapshot::Recorder recorder(std::move(writer), store.directory(), pid, options);
    recorder.freeze_now();
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
    if (::write(answer, kFrozen.data(), kFrozen.size()) < 0) throw_errno("answering");
    ::close(answer);
    recorder.run();
    ::_exit(0);
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  [[maybe_unused]] const auto written = ::write(answer, error.data(), error.size());
  ::_exit(1);
}

void freeze_process(const Invocation& invocation, int pid) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("pipe");
  const UniqueFd answer(fds[0]);
  UniqueFd child_end(fds[1]);
  const int holder = ::fork();
  if (holder < 0) throw_errno("fork");
  if (holder == 0) hold_frozen(invocation, pid, child_end.get());
  child_end.reset();
  std::string error;
  std::array<char, 512> buffer{};
  for (ssize_t got; (got = ::read(answer.get(), buffer.data(), buffer.size())) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) error.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (error == kFrozen) return;
  const std::string what = "freezing process " + std::to_string(pid) + ": ";
  throw Error(error.empty() ? what + "the process that was to hold it ended" : error);
}

int run(const Invocation& invocation) {
  const std::string word = invocation.argument(0);
  const auto directory = invocation.store_directory();
  if (const auto recorder = find_recorder(directory, word)) {
    ask(directory, recorder->recording, "freeze");
    return 0;
  }
  const auto pid = as_pid(word);
  if (!pid) throw_not_recorded(directory, word);
  snapshot::require_attachable(*pid, invocation.has("allow-undumpable")
                                         ? snapshot::Undumpable::Allow
                                         : snapshot::Undumpable::Refuse);
  freeze_process(invocation, *pid);
  return 0;
}

}  // namespace

Command freeze_command() {
  return {
      .name = "freeze",
      .group = Group::Take,
      .summary = "stop a tree without its noticing",
      .usage = "freeze NAME|PID",
      .description =
          "Returns when every thread of the tree has stopped. No signal is sent or delivered, no "
          "system call is interrupted for good, and parents have nothing to wait for. A frozen "
          "tree "
          "can be looked at and snapshotted (icecore snap). It runs again at `icecore thaw`, or at "
          "once if the process that holds it dies.",
      .arguments = kArguments,
      .options = kOptions,
      .examples = "icecore freeze 4242",
      .run = run};
}

}  // namespace icecore::cli
