// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_difference.h"

#include <algorithm>
#include <array>
#include <map>

namespace icecore::snapshot {
namespace {

constexpr std::size_t kMostLines = 60;

std::string hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (; value != 0 || text.empty(); value >>= 4U) text.insert(0, 1, kDigits[value & 0xfU]);
  return "0x" + text;
}

std::string name_of(const model::Mapping& mapping) {
  return hex(mapping.start()) + "-" + hex(mapping.end()) +
         (mapping.name().empty() ? "" : " " + mapping.name());
}

using Names = std::map<std::string, std::string>;  // what identifies a thing, and how it is shown

std::string came_and_went(const Names& before, const Names& after, const std::string& what) {
  std::string text;
  for (const auto& [key, shown] : before) {
    if (!after.contains(key)) text += "  " + what + " went  " + shown + "\n";
  }
  for (const auto& [key, shown] : after) {
    if (!before.contains(key)) text += "  " + what + " came  " + shown + "\n";
  }
  return text;
}

Names threads_of(const model::Process& process) {
  Names names;
  for (const auto& thread : process.threads()) {
    names[std::to_string(thread.tid())] = std::to_string(thread.tid()) + " " + thread.name();
  }
  return names;
}

Names mappings_of(const model::Process& process) {
  Names names;
  for (const auto& mapping : process.mappings()) names[name_of(mapping)] = name_of(mapping);
  return names;
}

/// One process at two moments.
struct Pair {
  const StoredSnapshot& before;
  const model::Process& then;
  const StoredSnapshot& after;
  const model::Process& now;
};

/// Where the pages of a mapping are in the store.
struct Place {
  store::SpaceId space{};
  store::PageRange pages;
  std::uint64_t shift = 0;  // address = page * kPageSize + shift
};
Place place_of(const model::Process& process, const model::Mapping& mapping) {
  const bool shared = mapping.shared_space() != 0;
  Place place;
  place.space = store::SpaceId{shared ? mapping.shared_space() : process.space()};
  place.shift = shared ? mapping.start() - mapping.offset() : 0;
  place.pages.first = (mapping.start() - place.shift) / store::kPageSize;
  place.pages.count = (mapping.end() - mapping.start()) / store::kPageSize;
  return place;
}

std::uint64_t overlap(const store::PageRange& run, const store::PageRange& pages) {
  const std::uint64_t from = std::max(run.first, pages.first);
  const std::uint64_t to = std::min(run.first + run.count, pages.first + pages.count);
  return from < to ? to - from : 0;
}

/// Between two runs of icecore page versions cannot be compared, so bytes are.
std::uint64_t differing_pages(const Pair& pair, const Place& place) {
  std::array<std::byte, store::kPageSize> before;
  std::array<std::byte, store::kPageSize> after;
  std::uint64_t count = 0;
  for (const auto& run : pair.after.reader().present(place.space, place.pages)) {
    for (std::uint64_t page = run.first; page < run.first + run.count; ++page) {
      const std::uint64_t address = page * store::kPageSize + place.shift;
      if (pair.before.read_memory(pair.then, address, before) != before.size()) continue;
      if (pair.after.read_memory(pair.now, address, after) != after.size()) continue;
      if (before != after) ++count;
    }
  }
  return count;
}

std::uint64_t written_pages(const Pair& pair, const model::Mapping& mapping) {
  const Place place = place_of(pair.now, mapping);
  const model::Mapping* then = StoredSnapshot::find_mapping(pair.then, mapping.start());
  if (then == nullptr) return 0;  // it has come, which is told of the mapping
  if (place_of(pair.then, *then).space != place.space) return differing_pages(pair, place);
  std::uint64_t count = 0;
  for (const auto& run : pair.after.reader().changed(place.space, pair.before.reader())) {
    count += overlap(run, place.pages);
  }
  return count;
}

std::string process_difference(const Pair& pair) {
  std::string text = came_and_went(threads_of(pair.then), threads_of(pair.now), "thread");
  text += came_and_went(mappings_of(pair.then), mappings_of(pair.now), "mapping");
  for (const auto& mapping : pair.now.mappings()) {
    if (mapping.content() != model::Mapping::HELD) continue;
    const std::uint64_t pages = written_pages(pair, mapping);
    if (pages == 0) continue;
    text += "  written  " + name_of(mapping) + ": " + std::to_string(pages) +
            (pages == 1 ? " page\n" : " pages\n");
  }
  if (text.empty()) return {};
  return "process " + std::to_string(pair.now.pid()) + " " + pair.now.comm() + "\n" + text;
}

std::string first_lines(const std::string& text) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < kMostLines; ++i) {
    end = text.find('\n', end);
    if (end == std::string::npos) return text;
    ++end;
  }
  const auto more = std::count(text.begin() + static_cast<std::ptrdiff_t>(end), text.end(), '\n');
  return text.substr(0, end) + (more == 0 ? "" : "... " + std::to_string(more) + " lines more\n");
}

}  // namespace

std::string describe_difference(const StoredSnapshot& before, const StoredSnapshot& after) {
  std::string text;
  for (const auto& process : before.model().processes()) {
    if (after.find_process(process.pid()) != nullptr) continue;
    text += "process " + std::to_string(process.pid()) + " " + process.comm() + " went\n";
  }
  for (const auto& process : after.model().processes()) {
    const model::Process* then = before.find_process(process.pid());
    if (then == nullptr) {
      text += "process " + std::to_string(process.pid()) + " " + process.comm() + " came\n";
    } else {
      text += process_difference({before, *then, after, process});
    }
  }
  return text.empty() ? "nothing differs\n" : first_lines(text);
}

}  // namespace icecore::snapshot
