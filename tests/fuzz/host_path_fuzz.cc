// SPDX-License-Identifier: Apache-2.0
// Which of a client's paths are served: whatever is taken for a file of a process, or of debuggers,
// leads nowhere else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "replay/live/host_path.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view path(reinterpret_cast<const char*>(data), size);
  const auto plain = std::filesystem::path(path).lexically_normal();
  if (const auto found = icecore::replay::parse_proc_path(path)) {
    std::string parent = "/proc/" + std::to_string(found->pid);
    if (found->tid != 0) parent += "/task/" + std::to_string(found->tid);
    if (found->pid <= 0 || plain.parent_path() != parent) std::abort();
  }
  if (icecore::replay::is_for_debuggers(path)) {
    for (const auto& part : std::filesystem::path(path).relative_path()) {
      const bool leads_up = part == ".." && path.starts_with('/');
      if (leads_up) std::abort();
    }
  }
  return 0;
}
