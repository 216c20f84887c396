// SPDX-License-Identifier: Apache-2.0
#include "cli/recorders.h"

#include <charconv>

#include "base/error.h"
#include "snapshot/control_socket.h"
#include "snapshot/recorder.h"

namespace icecore::cli {

std::vector<LivingRecorder> living_recorders(const std::filesystem::path& store) {
  std::vector<LivingRecorder> result;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(store / "run", ignored)) {
    if (entry.path().extension() != ".state") continue;
    if (const auto report = snapshot::StateWord::read(entry.path())) {
      result.push_back({entry.path().stem().string(), *report});
    }
  }
  return result;
}

std::optional<int> as_pid(std::string_view word) {
  int pid = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), pid);
  if (result.ec != std::errc{} || result.ptr != word.data() + word.size() || pid <= 0) {
    return std::nullopt;
  }
  return pid;
}

std::optional<LivingRecorder> find_recorder(const std::filesystem::path& store,
                                            std::string_view name_or_pid) {
  const auto pid = as_pid(name_or_pid);
  for (auto& recorder : living_recorders(store)) {
    if (recorder.recording == name_or_pid || (pid && recorder.report.root_pid == *pid)) {
      return recorder;
    }
  }
  return std::nullopt;
}

std::string ask(const std::filesystem::path& store, std::string_view recording,
                std::string_view request) {
  const snapshot::RecorderFiles files(store, recording);
  const auto answer = snapshot::ask_recorder(files.socket, request);
  if (!answer) throw_not_recorded(store, recording);
  return *answer;
}

void throw_not_recorded(const std::filesystem::path& store, std::string_view word) {
  Error error("nobody records " + std::string(word) + " at the moment");
  std::string living;
  for (const auto& recorder : living_recorders(store)) {
    living += (living.empty() ? "" : ", ") + recorder.recording;
  }
  if (!living.empty()) error.set_why("being recorded: " + living);
  error.set_hint("icecore attach PID, or icecore run -- PROGRAM ARGS");
  throw error;
}

}  // namespace icecore::cli
