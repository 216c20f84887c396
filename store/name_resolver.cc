// SPDX-License-Identifier: Apache-2.0
#include "store/name_resolver.h"

#include <algorithm>
#include <ctime>

#include "base/clock.h"
#include "base/error.h"
#include "base/overloaded.h"
#include "store/near_names.h"

namespace icecore::store {
namespace {

/// The latest local time of day `second_of_day` that is not after `now_ns`, as the end of that
/// second.
std::int64_t time_of_day_ns(std::uint32_t second_of_day, std::int64_t now_ns) {
  const std::time_t now = now_ns / kNsPerSecond;
  std::tm day{};
  ::localtime_r(&now, &day);
  day.tm_hour = static_cast<int>(second_of_day / 3600);
  day.tm_min = static_cast<int>(second_of_day / 60 % 60);
  day.tm_sec = static_cast<int>(second_of_day % 60);
  day.tm_isdst = -1;
  std::tm wanted = day;
  std::time_t time = std::mktime(&wanted);
  if (time > now) {
    --day.tm_mday;
    day.tm_isdst = -1;
    time = std::mktime(&day);
  }
  return std::int64_t{time} * kNsPerSecond + kNsPerSecond - 1;
}

std::string local_time_text(std::int64_t ns) {
  const std::time_t time = ns / kNsPerSecond;
  std::tm parts{};
  ::localtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%F %T", &parts)};
}

class Resolver {
 public:
  Resolver(const Catalog& catalog, const SnapshotName& name, std::int64_t now_ns)
      : catalog_(catalog),
        recording_(name.recording.empty() ? catalog.newest_recording() : name.recording),
        now_ns_(now_ns) {}

  SnapshotKey find(const SnapshotMoment& moment) const {
    return {
        recording_,
        std::visit(Overloaded{[&](const LastSnapshot& last) { return last_number(last.back); },
                              [&](const FirstSnapshot&) { return all_numbers().front(); },
                              [&](const NumberedSnapshot& one) { return number(one.number); },
                              [&](const SnapshotAgo& ago) { return seconds_ago(ago.seconds); },
                              [&](const SnapshotAtTime& time) {
                                return at_or_before(time_of_day_ns(time.second_of_day, now_ns_));
                              },
                              [&](const TaggedSnapshot& tagged) { return with_tag(tagged.tag); }},
                   moment)};
  }

 private:
  std::vector<std::uint64_t> all_numbers() const {
    auto numbers = catalog_.numbers(recording_);
    if (!numbers.empty()) return numbers;
    Error error(recording_ + " has no snapshots");
    throw error.set_hint("icecore list");
  }

  std::uint64_t last_number(std::uint64_t back) const {
    const auto numbers = all_numbers();
    if (back < numbers.size()) return numbers[numbers.size() - 1 - back];
    Error error(recording_ + "@-" + std::to_string(back) + ": " + recording_ + " has only " +
                std::to_string(numbers.size()) + " snapshots");
    throw error.set_hint("icecore list " + recording_);
  }

  std::uint64_t number(std::uint64_t wanted) const {
    const auto numbers = all_numbers();
    if (!std::ranges::binary_search(numbers, wanted)) {
      catalog_.no_such_snapshot({recording_, wanted});
    }
    return wanted;
  }

  std::uint64_t seconds_ago(std::uint64_t seconds) const {
    return at_or_before(now_ns_ - static_cast<std::int64_t>(seconds) * kNsPerSecond);
  }

  std::uint64_t at_or_before(std::int64_t time_ns) const {
    const auto all = catalog_.snapshots(recording_);
    const SnapshotSummary* best = nullptr;
    for (const SnapshotSummary& one : all) {
      if (one.realtime_ns > time_ns) continue;
      if (best == nullptr || one.realtime_ns >= best->realtime_ns) best = &one;
    }
    if (best != nullptr) return best->key.number;
    Error error(recording_ + " has no snapshot at or before " + local_time_text(time_ns));
    if (!all.empty()) {
      error.set_why("its first is " + all.front().key.text() + " of " +
                    local_time_text(all.front().realtime_ns));
    }
    throw error.set_hint("icecore list " + recording_);
  }

  std::uint64_t with_tag(const std::string& tag) const {
    std::vector<std::string> tags;
    std::uint64_t found = 0;
    for (const SnapshotSummary& one : catalog_.snapshots(recording_)) {
      if (one.tag == tag) found = one.key.number;
      if (!one.tag.empty()) tags.push_back(one.tag);
    }
    if (found != 0) return found;
    Error error(recording_ + " has no snapshot tagged \"" + tag + "\"");
    error.set_why(tags.empty() ? "none of its snapshots has a tag" : near_names_text(tag, tags));
    throw error.set_hint("icecore list " + recording_);
  }

  const Catalog& catalog_;
  std::string recording_;
  std::int64_t now_ns_;
};

SnapshotKey resolve(const Catalog& catalog, const SnapshotName& name, std::int64_t now_ns) {
  return Resolver(catalog, name, now_ns).find(name.moment);
}

}  // namespace

SnapshotKey resolve_name(const Catalog& catalog, std::string_view text, std::int64_t now_ns) {
  return resolve(catalog, parse_snapshot_name(text), now_ns);
}

std::vector<SnapshotKey> resolve_names(const Catalog& catalog, std::string_view text,
                                       std::int64_t now_ns) {
  const auto range = parse_snapshot_range(text);
  if (!range) return {resolve_name(catalog, text, now_ns)};
  const SnapshotKey from = resolve(catalog, range->first, now_ns);
  const SnapshotKey to = resolve(catalog, range->second, now_ns);
  if (from.recording != to.recording) {
    Error error("\"" + std::string(text) + "\": both ends of a range are of one recording");
    throw error.set_exit_status(ExitStatus::WrongUsage);
  }
  std::vector<SnapshotKey> keys;
  for (const std::uint64_t number : catalog.numbers(from.recording)) {
    const auto [low, high] = std::minmax(from.number, to.number);
    if (number >= low && number <= high) keys.push_back({from.recording, number});
  }
  return keys;
}

}  // namespace icecore::store
