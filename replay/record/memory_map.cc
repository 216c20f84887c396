// SPDX-License-Identifier: Apache-2.0
#include "replay/record/memory_map.h"

#include <fcntl.h>

#include <array>

#include "base/error.h"
#include "base/unique_fd.h"
#include "snapshot/proc/maps.h"

namespace icecore::replay {
namespace {

std::string read_maps(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/maps";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) throw_errno("open " + path);
  std::string text;
  std::array<char, 16384> piece{};
  ssize_t got = 0;
  while ((got = ::read(file.get(), piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  if (got < 0) throw_errno("read " + path);
  return text;
}

}  // namespace

std::vector<MappedRange> mappings_of(int pid) {
  const std::string text = read_maps(pid);
  std::vector<MappedRange> result;
  for (const auto& line : snapshot::proc::parse_maps(text)) {
    result.push_back({line.start, line.end, line.readable, line.writable, line.executable,
                      line.shared, std::string(line.name)});
  }
  return result;
}

std::optional<MappedRange> find_mapping(int pid, std::string_view name) {
  for (auto& mapping : mappings_of(pid)) {
    if (mapping.name == name) return mapping;
  }
  return std::nullopt;
}

}  // namespace icecore::replay
