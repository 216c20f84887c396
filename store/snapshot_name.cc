// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot_name.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace icecore::store {
namespace {

[[noreturn]] void throw_no_name(std::string_view text, const std::string& why) {
  Error error("\"" + std::string(text) + "\" names no snapshot: " + why);
  error.set_hint("icecore help names");
  throw error.set_exit_status(ExitStatus::WrongUsage);
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  if (!is_digits(text)) return std::nullopt;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> unit_seconds(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    default:
      return std::nullopt;
  }
}

/// What stands behind "@-".
SnapshotMoment parse_back(std::string_view name, std::string_view text) {
  if (const auto back = parse_number(text)) return LastSnapshot{*back};
  const auto seconds = text.empty() ? std::nullopt : unit_seconds(text.back());
  const auto count = parse_number(text.substr(0, text.empty() ? 0 : text.size() - 1));
  constexpr std::uint64_t kMost = 1'000'000'000;
  if (seconds && count && *count <= kMost) return SnapshotAgo{*count * *seconds};
  throw_no_name(name, "after @- comes a number, or a time such as 10s, 5m, 2h");
}

SnapshotMoment parse_time(std::string_view name, std::string_view text) {
  constexpr std::uint64_t kLimits[3] = {24, 60, 61};
  std::uint64_t parts[3] = {0, 0, 0};
  std::size_t part = 0;
  for (std::string_view rest = text;; ++part) {
    const std::size_t colon = rest.find(':');
    const auto value = parse_number(rest.substr(0, colon));
    if (part == 3 || !value || *value >= kLimits[part]) {
      throw_no_name(name, "a time of day is HH:MM or HH:MM:SS");
    }
    parts[part] = *value;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return SnapshotAtTime{static_cast<std::uint32_t>(parts[0] * 3600 + parts[1] * 60 + parts[2])};
}

SnapshotMoment parse_moment(std::string_view name, std::string_view text) {
  if (text.empty()) throw_no_name(name, "nothing follows the @");
  if (text == "last" || text == "latest") return LastSnapshot{};
  if (text == "first") return FirstSnapshot{};
  if (text.front() == '-') return parse_back(name, text.substr(1));
  if (is_digits(text)) {
    if (const auto number = parse_number(text)) return NumberedSnapshot{*number};
    throw_no_name(name, "the number is too large");
  }
  const bool is_time = text.find(':') != std::string_view::npos &&
                       text.find_first_not_of("0123456789:") == std::string_view::npos;
  if (is_time) return parse_time(name, text);
  return TaggedSnapshot{std::string(text)};
}

}  // namespace

SnapshotName parse_snapshot_name(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    return {std::string(text.substr(0, at)), parse_moment(text, text.substr(at + 1))};
  }
  const std::size_t tilde = text.rfind('~');
  if (tilde == std::string_view::npos) return {std::string(text), LastSnapshot{}};
  const auto back = parse_number(text.substr(tilde + 1));
  if (!back) throw_no_name(text, "after ~ comes how many before the last");
  return {std::string(text.substr(0, tilde)), LastSnapshot{*back}};
}

std::optional<std::pair<SnapshotName, SnapshotName>> parse_snapshot_range(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  SnapshotName from = parse_snapshot_name(text.substr(0, dots));
  std::string_view right = text.substr(dots + 2);
  // "A@3..7" and "A@3..last" read as people mean them.
  if (right.empty()) throw_no_name(text, "nothing follows the ..");
  const bool is_moment = right.find('@') == std::string_view::npos &&
                         (is_digits(right) || right == "last" || right == "latest" ||
                          right.front() == '-' || right.find(':') != std::string_view::npos);
  SnapshotName to =
      is_moment ? SnapshotName{"", parse_moment(text, right)} : parse_snapshot_name(right);
  if (to.recording.empty()) to.recording = from.recording;
  // A bare recording at the left end means all of it from its first.
  const bool is_bare = text.substr(0, dots).find_first_of("@~") == std::string_view::npos;
  if (is_bare) from.moment = FirstSnapshot{};
  return std::pair(std::move(from), std::move(to));
}

}  // namespace icecore::store
