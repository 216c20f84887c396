// SPDX-License-Identifier: Apache-2.0
#include "cli/mapping_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "cli/quantities.h"

namespace icecore::cli {

std::string mapping_kind(const model::Mapping& mapping) {
  if (mapping.content() == model::Mapping::KERNEL || mapping.name() == "[vdso]") return "kernel";
  if (mapping.shared_space() != 0) return "shared";
  if (mapping.name() == "[heap]") return "heap";
  if (mapping.name().starts_with("[stack")) return "stack";
  if (mapping.file() != 0 || mapping.name().starts_with('/')) return "files";
  const bool reserved = !mapping.readable() && !mapping.writable() && !mapping.executable();
  return reserved ? "reserved" : "anonymous";
}

std::string mapping_text(const model::Mapping& mapping) {
  std::array<char, 64> range{};
  std::snprintf(range.data(), range.size(), "%012llx-%012llx %c%c%c%c %10s",
                static_cast<unsigned long long>(mapping.start()),
                static_cast<unsigned long long>(mapping.end()), mapping.readable() ? 'r' : '-',
                mapping.writable() ? 'w' : '-', mapping.executable() ? 'x' : '-',
                mapping.shared() ? 's' : 'p', bytes_text(mapping.end() - mapping.start()).c_str());
  std::string text = range.data();
  if (!mapping.name().empty()) text += "  " + mapping.name();
  if (mapping.deleted()) text += " (deleted)";
  if (mapping.content() == model::Mapping::NOT_HELD) text += " (not held)";
  return text;
}

std::vector<std::string> mapping_summary(const model::Process& process) {
  std::map<std::string, std::uint64_t> sizes;
  std::set<std::string> files;
  for (const model::Mapping& mapping : process.mappings()) {
    const std::string kind = mapping_kind(mapping);
    sizes[kind] += mapping.end() - mapping.start();
    if (kind == "files") files.insert(mapping.name());
  }
  std::vector<std::pair<std::uint64_t, std::string>> ordered;
  for (const auto& [kind, size] : sizes) ordered.emplace_back(size, kind);
  std::ranges::sort(ordered, std::greater{});
  std::vector<std::string> lines;
  for (const auto& [size, kind] : ordered) {
    lines.push_back(kind + " " + bytes_text(size) +
                    (kind == "files" ? " of " + count_text(files.size(), "file") : ""));
  }
  return lines;
}

}  // namespace icecore::cli
