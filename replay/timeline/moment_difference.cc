// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/moment_difference.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

#include "replay/record/memory_difference.h"
#include "replay/record/memory_map.h"

namespace icecore::replay {
namespace {

/// Of each mapping so many words are shown with their values.
constexpr std::size_t kMostWords = 8;
constexpr std::size_t kWord = 8;

std::string text_of(const MappedRange& range) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "0x%llx-0x%llx",
                static_cast<unsigned long long>(range.start),
                static_cast<unsigned long long>(range.end));
  return text.data() + (range.name.empty() ? "" : " " + range.name);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), " %02x", static_cast<unsigned char>(byte));
    text += digits.data();
  }
  return text;
}

/// Those of `some` that `others` has not, with a word for them.
std::string only_in(const std::vector<MappedRange>& some, const std::vector<MappedRange>& others,
                    std::string_view word) {
  std::string text;
  for (const auto& range : some) {
    const bool known = std::ranges::any_of(others, [&](const MappedRange& other) {
      return other.start == range.start && other.end == range.end && other.name == range.name;
    });
    if (!known) text += "mapping " + std::string(word) + "  " + text_of(range) + "\n";
  }
  return text;
}

/// Words in which a mapping differs.
struct Differing {
  std::size_t bytes = 0;
  std::size_t words = 0;
  std::string lines;

  void add(std::uint64_t address, std::string_view then, std::string_view now) {
    std::size_t different = 0;
    for (std::size_t i = 0; i < now.size(); ++i) different += then[i] != now[i] ? 1 : 0;
    if (different == 0) return;
    bytes += different;
    if (words++ >= kMostWords) return;
    std::array<char, 32> place{};
    std::snprintf(place.data(), place.size(),
                  "  0x%llx:", static_cast<unsigned long long>(address));
    lines += place.data() + hex(then) + "  ->" + hex(now) + "\n";
  }
};

/// A write spans all that differs of a page, and more.
void add_words(Differing& differing, const TracedMemory& before, const MemoryWrite& write) {
  std::string then(write.bytes.size(), '\0');
  before.read_some(write.address, std::as_writable_bytes(std::span(then)));
  for (std::size_t at = 0; at < then.size();) {
    const std::size_t size =
        std::min<std::size_t>(kWord - (write.address + at) % kWord, then.size() - at);
    differing.add(write.address + at, std::string_view(then).substr(at, size),
                  std::string_view(write.bytes).substr(at, size));
    at += size;
  }
}

std::string text_of(const MappedRange& range, const Differing& differing) {
  std::string text = "written  " + text_of(range) + ": " + std::to_string(differing.bytes) +
                     (differing.bytes == 1 ? " byte\n" : " bytes\n") + differing.lines;
  if (differing.words > kMostWords) {
    text += "  ... " + std::to_string(differing.words - kMostWords) + " words more\n";
  }
  return text;
}

}  // namespace

std::string describe_difference(const Moment& before, const Moment& after) {
  const TracedMemory then(before.pid);
  const TracedMemory now(after.pid);
  const auto mapped_then = mappings_of(before.pid);
  const auto mapped_now = mappings_of(after.pid);
  std::string text =
      only_in(mapped_then, mapped_now, "went") + only_in(mapped_now, mapped_then, "came");
  const auto writes = changed_memory({before.pid, then, before.registers.rsp},
                                     {after.pid, now, after.registers.rsp});
  for (const auto& range : mapped_now) {
    Differing differing;
    for (const auto& write : writes) {
      if (range.start <= write.address && write.address < range.end) {
        add_words(differing, then, write);
      }
    }
    if (differing.words != 0) text += text_of(range, differing);
  }
  return text.empty() ? "nothing differs\n" : text;
}

}  // namespace icecore::replay
