// SPDX-License-Identifier: Apache-2.0
// `monitor` commands about time.
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "base/error.h"
#include "replay/timeline/moment_difference.h"
#include "replay/timeline/time_target.h"

namespace icecore::replay {
namespace {

constexpr std::string_view kHelp =
    "  monitor when               where in the history this is\n"
    "  monitor list               how far back it goes, and what it costs\n"
    "  monitor goto begin|present|EVENT|TAG\n"
    "                             the next continue or stepi arrives there\n"
    "  monitor tag [NAME]         the moments that have a name; gives this one a name\n"
    "  monitor diff PLACE [PLACE] what was written between here (or the first) and there\n"
    "  monitor back-to ADDRESS[,LENGTH]\n"
    "                             the same, in front of the last change of these bytes\n"
    "  monitor record on|off      whether processes are recorded while they run\n";

std::uint64_t number_of(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc() || end != text.data() + text.size() || text.empty()) {
    throw Error("'" + std::string(text) + "' is no number").set_hint("monitor help");
  }
  return value;
}

std::string text_of(const Position& position) {
  std::string text = "event " + std::to_string(position.events);
  if (position.point.transfers != 0) {
    text += " and " + std::to_string(position.point.transfers) + " jumps";
  }
  return text;
}

std::string cost_text(const LiveRecording::Life& life, std::int32_t pid) {
  const std::uint64_t copies = memory_of_copies(pid, life.history->copies());
  const std::chrono::duration<double> age =
      std::chrono::steady_clock::now() - life.history->begin()->time;
  const double each = static_cast<double>(copies + life.log.bytes()) / 1024 / age.count();
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(),
                "it takes %.1f MiB, copies included, for %.1f s: %.0f KiB for each second\n",
                static_cast<double>(copies + life.log.bytes()) / (1 << 20), age.count(), each);
  return text.data();
}

}  // namespace

std::string TimeTarget::run(std::string_view line, gdbstub::ThreadId current) {
  while (line.ends_with(' ')) line.remove_suffix(1);
  const std::string_view verb = line.substr(0, line.find(' '));
  std::string_view rest = line.substr(verb.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (verb == "when") return where(current.pid);
  if (verb == "list") return list(current.pid);
  if (verb == "goto") return plan(current.pid, rest);
  if (verb == "tag") return tag(current.pid, rest);
  if (verb == "diff") return diff(current.pid, rest);
  if (verb == "back-to") return back_to(current.pid, rest);
  if (verb == "record") return record(rest);
  std::string text = live_.monitor()->run(line, current);
  if (verb.empty() || verb == "help") text += kHelp;
  if (verb == "info" && recording_.has_history(current.pid)) text += list(current.pid);
  return text;
}

/// Where exactly the present is would have to be found, by running to it from the past: too dear
/// for what a prompt asks at every stop.
std::string TimeTarget::where(std::int32_t pid) {
  if (sure_ && pid == pid_) {
    return "in the past, at a moment that was kept (" + std::to_string(sure_number_ + 1) + ")\n";
  }
  if (recording_.sure_moments(pid) != nullptr) return "in the present\n";
  const std::uint64_t all = recording_.life(pid).log.end();
  if (!in_past(pid)) return "in the present, behind event " + std::to_string(all) + "\n";
  return "in the past, at " + text_of(past_->position) + " of " + std::to_string(all) + "\n";
}

std::string TimeTarget::before_history() const {
  if (origin_.empty()) return {};
  return "before " + origin_ + " are the snapshots of `icecore list " + origin_recording_ +
         "`: icecore gdb " + origin_recording_ + "@N --live\n";
}

LiveRecording::Life& TimeTarget::life(std::int32_t pid) {
  try {
    return recording_.life(pid);
  } catch (const Error& error) {
    if (origin_.empty()) throw;
    throw Error(std::string(error.what()) + "; " + before_history());
  }
}

std::string TimeTarget::list(std::int32_t pid) {
  if (recording_.sure_moments(pid) != nullptr) return list_sure(pid);
  LiveRecording::Life& life = this->life(pid);
  std::string text = "history of process " + std::to_string(pid) + ": events " +
                     std::to_string(life.history->begin()->position.events) + " to " +
                     std::to_string(life.log.end()) + ", " + std::to_string(life.history->size()) +
                     " copies of the process, " + std::to_string(life.log.bytes() >> 10U) +
                     " KiB of events\n" + cost_text(life, pid);
  if (!life.begins_because.empty())
    text += "it begins where it does: " + life.begins_because + "\n";
  return text + before_history();
}

MomentPointer TimeTarget::named_moment(std::int32_t pid, std::string_view place) {
  History& history = *life(pid).history;
  if (place == "present") return nullptr;
  if (place == "begin") return history.at(history.begin()->position);
  const std::uint64_t first = history.begin()->position.events;
  const std::uint64_t last = recording_.life(pid).log.end();
  const auto tagged = history.tags().find(place);
  const bool known = tagged != history.tags().end();
  const std::uint64_t event = known ? tagged->second.events : number_of(place);
  if (event < first || event > last) {
    throw Error("event " + std::string(place) + " is not in the history, which has " +
                std::to_string(first) + " to " + std::to_string(last) + "; " + before_history());
  }
  return known ? history.at(tagged->second) : history.behind_event(event);
}

std::string TimeTarget::plan(std::int32_t pid, std::string_view place) {
  life(pid);
  now(pid);
  planned_ = named_moment(pid, place);
  return "the next continue or stepi arrives there\n";
}

std::string TimeTarget::tag(std::int32_t pid, std::string_view name) {
  auto& tags = life(pid).history->tags();
  if (!name.empty()) {
    const bool begins_well = std::isdigit(static_cast<unsigned char>(name.front())) == 0;
    if (!begins_well || name == "begin" || name == "present" || name.find(' ') != name.npos) {
      throw Error("'" + std::string(name) + "' cannot be the name of a moment");
    }
    tags.insert_or_assign(std::string(name), now(pid)->position);
  }
  std::string text;
  for (const auto& [word, position] : tags) text += word + "  " + text_of(position) + "\n";
  return text.empty() ? "no moment of this history has a name\n" : text;
}

std::string TimeTarget::diff(std::int32_t pid, std::string_view places) {
  if (places.empty()) throw Error("diff needs a place").set_hint("monitor help");
  life(pid);
  const MomentPointer here = now(pid);
  const auto moment = [&](std::string_view place) {
    auto named = named_moment(pid, place);
    return named ? named : present_;
  };
  const std::size_t gap = places.find(' ');
  if (gap == std::string_view::npos) return describe_difference(*here, *moment(places));
  const auto second = places.substr(places.find_first_not_of(' ', gap));
  return describe_difference(*moment(places.substr(0, gap)), *moment(second));
}

std::string TimeTarget::back_to(std::int32_t pid, std::string_view memory) {
  const std::size_t comma = memory.find(',');
  WatchedMemory watched{number_of(memory.substr(0, comma)), 8, WatchedMemory::Kind::Change};
  if (comma != std::string_view::npos) watched.size = number_of(memory.substr(comma + 1));
  const MomentPointer from = now(pid);
  History& history = *recording_.life(pid).history;
  const auto found = history.find_last(*from, {{}, {watched}});
  if (!found) return "these bytes did not change in the history that there is\n";
  planned_ = found->moment;
  return "changed at " + text_of(found->moment->position) +
         "\nthe next continue or stepi arrives in front of it\n";
}

std::string TimeTarget::record(std::string_view word) {
  if (word != "on" && word != "off") throw Error("record on or record off?");
  if (past_ || sure_) throw Error("this is the past: go to the present first").set_hint("continue");
  present_ = nullptr;
  planned_.reset();
  recording_.set_mode(word == "on" ? LiveRecording::Mode::On : LiveRecording::Mode::Off);
  return word == "on" ? "recording begins when the process goes on\n"
                      : "nothing is recorded, and there is no history\n";
}

}  // namespace icecore::replay
