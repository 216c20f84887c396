// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iostream>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/invocation.h"
#include "cli/json_text.h"
#include "cli/recorders.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME|PID", Argument::Count::One, Completes::RecordingOrPid},
};
constexpr std::array kOptions = {
    Option{"json", 0, "", "print a JSON object"},
};

std::string task_name(int tid) {
  std::ifstream file("/proc/" + std::to_string(tid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

/// Of the recorder: what the kernel cannot take back (RssAnon), in bytes. It holds copied pages
/// until they are stored, up to --buffer.
std::optional<std::uint64_t> recorder_memory(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("RssAnon:")) continue;
    constexpr std::uint64_t kKibibyte = 1024;
    return std::stoull(line.substr(8)) * kKibibyte;
  }
  return std::nullopt;
}

int print(const Invocation& invocation, const LivingRecorder& recorder) {
  const auto& report = recorder.report;
  const std::int64_t since = monotonic_ns() - report.since_ns;
  if (invocation.has("json")) {
    Json json;
    json["version"] = kJsonVersion;
    json["state"] = std::string(name_of(report.state));
    json["recording"] = recorder.recording;
    json["root_pid"] = report.root_pid;
    json["recorder_pid"] = report.owner_pid;
    json["for_us"] = since / 1000;
    if (const auto memory = recorder_memory(report.owner_pid)) json["recorder_memory"] = *memory;
    if (report.holdup_tid != 0) json["held_up_by"] = report.holdup_tid;
    std::cout << json_text(json);
    return 0;
  }
  std::cout << name_of(report.state);
  if (report.state == snapshot::RecordingState::Freezing && report.holdup_tid != 0) {
    std::cout << " held up by thread " << report.holdup_tid << " (" << task_name(report.holdup_tid)
              << ") for " << since / 1'000'000 << " ms";
  }
  std::cout << "\n";
  return 0;
}

int run(const Invocation& invocation) {
  const std::string word = invocation.argument(0);
  const auto recorder = find_recorder(invocation.store_directory(), word);
  if (recorder) return print(invocation, *recorder);
  const auto pid = as_pid(word);
  if (!pid) throw_not_recorded(invocation.store_directory(), word);
  // Nobody records it: it runs, or it is no more.
  const bool alive = ::kill(*pid, 0) == 0 || errno == EPERM;
  const auto state = alive ? snapshot::RecordingState::Running : snapshot::RecordingState::Dead;
  return print(invocation, {{}, {state, 0, *pid, 0, monotonic_ns()}});
}

}  // namespace

Command state_command() {
  return {
      .name = "state",
      .group = Group::Take,
      .summary = "print the state of a tree in one word",
      .usage = "state [--json] NAME|PID",
      .description =
          "RUNNING, FREEZING, FROZEN, THAWING, CKPTING, RSTRTING, ABORTING or DEAD: read in one "
          "atomic access, without asking the recorder. FREEZING names the thread that holds it up.",
      .arguments = kArguments,
      .options = kOptions,
      .examples = "icecore state redis-server",
      .run = run};
}

}  // namespace icecore::cli
