// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_history.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "snapshot/view_difference.h"
#include "snapshot/view_time_text.h"
#include "snapshot/view_watch.h"

namespace icecore::snapshot {
namespace {

constexpr std::uint64_t kMostBytes = 1U << 20U;
constexpr std::uint64_t kShownBytes = 32;

[[noreturn]] void refuse_range(std::string_view text) {
  throw Error("'" + std::string(text) + "' is no range of addresses")
      .set_hint("monitor back-to 0x7ffe1000,8");
}

std::uint64_t parse_number(std::string_view text, std::string_view whole) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
  if (failure != std::errc() || end != text.data() + text.size()) refuse_range(whole);
  return value;
}

gdbstub::Breakpoint parse_range(std::string_view text, std::int32_t pid) {
  const std::size_t comma = text.find(',');
  gdbstub::Breakpoint range;
  range.kind = gdbstub::Breakpoint::Kind::WriteWatch;
  range.pid = pid;
  range.address = parse_number(text.substr(0, comma), text);
  range.size = comma == std::string_view::npos ? 8 : parse_number(text.substr(comma + 1), text);
  if (range.size == 0 || range.size > kMostBytes) refuse_range(text);
  return range;
}

}  // namespace

std::string ViewHistory::when() const {
  const model::Snapshot& model = moment_.model();
  const std::string tag = model.tag().empty() ? "" : " (" + model.tag() + ")";
  return moment_.snapshot().key().text() + tag + "  " + local_time(model.clocks().realtime_ns()) +
         "\n";
}

std::string ViewHistory::bytes_at(const store::SnapshotKey& key,
                                  const gdbstub::Breakpoint& range) const {
  const auto there = moment_.sequence().open(key);
  const model::Process* process = there->find_process(range.pid);
  std::vector<std::byte> bytes(std::min(range.size, kShownBytes));
  bytes.resize(process == nullptr ? 0 : there->read_memory(*process, range.address, bytes));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "  " + key.text() + " ";
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    text += std::string(" ") + kDigits[value >> 4U] + kDigits[value & 0xfU];
  }
  if (bytes.empty()) text += " not there";
  return text + (range.size > kShownBytes ? " ...\n" : "\n");
}

std::string ViewHistory::back_to(std::string_view text, gdbstub::ThreadId current) {
  const gdbstub::Breakpoint range = parse_range(text, current.pid);
  const auto keys = travel_.keys_before(current.pid);
  const auto hit = ViewWatch(moment_, {range}).first_change(keys);
  if (!hit) {
    const auto& oldest = keys.empty() ? moment_.snapshot().key() : keys.back();
    return "these bytes are the same in every snapshot back to " + oldest.text() + "\n";
  }
  const auto at = std::ranges::find(keys, hit->key);
  const auto& after = at == keys.begin() ? moment_.snapshot().key() : *(at - 1);
  travel_.go_to_next(hit->key, current.pid);
  return "they changed between " + hit->key.text() + " and " + after.text() + "\n" +
         bytes_at(hit->key, range) + bytes_at(after, range) +
         "the next continue or stepi arrives at " + hit->key.text() + "\n";
}

std::string ViewHistory::diff(std::string_view names) const {
  if (names.empty()) {
    throw Error("diff needs the number or the tag of a snapshot").set_hint("monitor list");
  }
  const std::size_t space = names.find(' ');
  const SnapshotSequence& sequence = moment_.sequence();
  const bool from_here = space == std::string_view::npos;
  const auto from = from_here ? moment_.snapshot().key() : sequence.resolve(names.substr(0, space));
  std::string_view last = from_here ? names : names.substr(space + 1);
  last.remove_prefix(std::min(last.find_first_not_of(' '), last.size()));
  const auto to = sequence.resolve(last);
  return "from " + from.text() + " to " + to.text() + "\n" +
         describe_difference(*sequence.open(from), *sequence.open(to));
}

}  // namespace icecore::snapshot
