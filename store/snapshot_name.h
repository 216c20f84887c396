// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace icecore::store {

// How a person says which snapshot:
//   name      = [recording] [ "@" moment | "~" digits ]
//   moment    = digits | "last" | "latest" | "first" | "-" digits | "-" digits unit
//             | hh ":" mm [ ":" ss ] | tag
//   unit      = "s" | "m" | "h" | "d"
//   range     = name ".." name          a recording left out at the right end is that of the left

struct LastSnapshot {
  std::uint64_t back = 0;  ///< so many before the last
  bool operator==(const LastSnapshot&) const = default;
};
struct FirstSnapshot {
  bool operator==(const FirstSnapshot&) const = default;
};
struct NumberedSnapshot {
  std::uint64_t number = 0;
  bool operator==(const NumberedSnapshot&) const = default;
};
/// The last one that is at least so much older than now.
struct SnapshotAgo {
  std::uint64_t seconds = 0;
  bool operator==(const SnapshotAgo&) const = default;
};
/// The last one at or before this local time of day, not later than now.
struct SnapshotAtTime {
  std::uint32_t second_of_day = 0;
  bool operator==(const SnapshotAtTime&) const = default;
};
struct TaggedSnapshot {
  std::string tag;
  bool operator==(const TaggedSnapshot&) const = default;
};

using SnapshotMoment = std::variant<LastSnapshot, FirstSnapshot, NumberedSnapshot, SnapshotAgo,
                                    SnapshotAtTime, TaggedSnapshot>;

struct SnapshotName {
  std::string recording;  ///< empty: the newest
  SnapshotMoment moment;
  bool operator==(const SnapshotName&) const = default;
};

/// Throws Error (wrong usage) when `text` is no name.
[[nodiscard]] SnapshotName parse_snapshot_name(std::string_view text);
/// The two ends of "A..B"; nullopt when `text` is one name.
[[nodiscard]] std::optional<std::pair<SnapshotName, SnapshotName>> parse_snapshot_range(
    std::string_view text);

}  // namespace icecore::store
