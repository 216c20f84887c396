// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "store/types.h"

namespace icecore::cli {

/// Keys stay in the order in which they are written here.
using Json = nlohmann::ordered_json;

/// The `version` of every object that --json prints: raised when a key changes its meaning or goes
/// away.
inline constexpr int kJsonVersion = 1;

[[nodiscard]] Json to_json(const store::RecordingSummary& recording);
[[nodiscard]] Json to_json(const store::SnapshotSummary& snapshot);
[[nodiscard]] Json to_json(const store::SkippedSnapshot& skipped);
[[nodiscard]] Json to_json(const store::Damage& damage);

/// As text, indented; bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string json_text(const Json& json);

}  // namespace icecore::cli
