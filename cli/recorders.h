// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/recording_state.h"

namespace icecore::cli {

/// A recorder that lives and works on the store.
struct LivingRecorder {
  std::string recording;
  snapshot::StateReport report;
};

[[nodiscard]] std::vector<LivingRecorder> living_recorders(const std::filesystem::path& store);
/// By the recording's name, or by the pid of the root of its tree.
[[nodiscard]] std::optional<LivingRecorder> find_recorder(const std::filesystem::path& store,
                                                          std::string_view name_or_pid);
/// A word that is a pid, else nullopt.
[[nodiscard]] std::optional<int> as_pid(std::string_view word);

/// Sends a request to the recorder of `recording` and returns its answer; throws when it refuses.
std::string ask(const std::filesystem::path& store, std::string_view recording,
                std::string_view request);

/// For verbs that need a living recorder: the error that names what is there.
[[noreturn]] void throw_not_recorded(const std::filesystem::path& store, std::string_view word);

}  // namespace icecore::cli
