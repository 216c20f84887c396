// SPDX-License-Identifier: Apache-2.0
#include "replay/live/host_path.h"

#include <charconv>

namespace icecore::replay {
namespace {

constexpr std::string_view kProc = "/proc/";
constexpr std::string_view kTask = "task/";

/// The number that `path` begins with, which is cut off with the slash behind it; 0 for none.
std::int32_t take_number(std::string_view& path) {
  std::int32_t number = 0;
  if (path.starts_with('0')) return 0;  // the kernel writes none so
  const auto [end, failure] = std::from_chars(path.data(), path.data() + path.size(), number);
  if (failure != std::errc() || number <= 0) return 0;
  path.remove_prefix(static_cast<std::size_t>(end - path.data()));
  if (!path.starts_with('/')) return 0;
  path.remove_prefix(1);
  return number;
}

}  // namespace

std::optional<ProcPath> parse_proc_path(std::string_view path) {
  if (!path.starts_with(kProc)) return std::nullopt;
  path.remove_prefix(kProc.size());
  ProcPath found;
  found.pid = take_number(path);
  if (found.pid == 0) return std::nullopt;
  if (path.starts_with(kTask)) {
    path.remove_prefix(kTask.size());
    found.tid = take_number(path);
    if (found.tid == 0) return std::nullopt;
  }
  const bool one_part = path.find('/') == std::string_view::npos;
  if (path.empty() || !one_part || path == "." || path == "..") return std::nullopt;
  return found;
}

bool is_for_debuggers(std::string_view path) {
  if (path.find("/..") != std::string_view::npos) return false;
  return path.ends_with(".debug") || path.ends_with("-gdb.py") || path.ends_with("-gdb.gdb") ||
         path.find("/usr/lib/debug/") != std::string_view::npos;
}

}  // namespace icecore::replay
