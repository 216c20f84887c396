// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/thread_id.h"

#include <limits>

#include "gdbstub/hex.h"

namespace icecore::gdbstub {
namespace {

std::optional<std::int32_t> parse_id(std::string_view text) {
  if (text == "-1") return ThreadSelector::kAll;
  const auto value = parse_hex_number(text);
  if (!value || *value > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<std::int32_t>(*value);
}

}  // namespace

std::string format_thread_id(ThreadId id, ThreadIdForm form) {
  const std::string tid = hex_number(static_cast<std::uint32_t>(id.tid));
  if (form == ThreadIdForm::TidOnly) return tid;
  return "p" + hex_number(static_cast<std::uint32_t>(id.pid)) + "." + tid;
}

std::optional<ThreadSelector> parse_thread_selector(std::string_view text) {
  if (!text.starts_with('p')) {
    const auto tid = parse_id(text);
    if (!tid) return std::nullopt;
    // Without a process, "all" is all of every process.
    return ThreadSelector{
        *tid == ThreadSelector::kAll ? ThreadSelector::kAll : ThreadSelector::kAny, *tid};
  }
  text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const auto pid = parse_id(text.substr(0, dot));
  if (!pid) return std::nullopt;
  if (dot == std::string_view::npos) return ThreadSelector{*pid, ThreadSelector::kAll};
  const auto tid = parse_id(text.substr(dot + 1));
  if (!tid) return std::nullopt;
  return ThreadSelector{*pid, *tid};
}

}  // namespace icecore::gdbstub
