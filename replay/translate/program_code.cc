// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/program_code.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "snapshot/proc/maps.h"
#include "snapshot/tracing/process_memory.h"

namespace icecore::replay {

ProgramCode::Access ProgramCode::access(std::uint64_t address) {
  if (ranges_.empty()) {
    const std::ifstream file("/proc/" + std::to_string(pid_) + "/maps");
    std::ostringstream text;
    text << file.rdbuf();
    const std::string content = text.str();
    for (const auto& line : snapshot::proc::parse_maps(content)) {
      if (!line.executable) continue;
      const bool changing = line.writable || line.shared;
      ranges_.push_back({line.start, line.end, changing ? Access::Changing : Access::Executable});
    }
  }
  const auto after = std::ranges::upper_bound(ranges_, address, {}, &Range::start);
  if (after == ranges_.begin() || address >= std::prev(after)->end) return Access::Absent;
  return std::prev(after)->access;
}

const ProgramCode::Page* ProgramCode::page(std::uint64_t address) {
  const std::uint64_t start = address / kPage * kPage;
  const auto known = pages_.find(start);
  if (known != pages_.end()) return &known->second;
  if (access(start) != Access::Executable) return nullptr;
  Page page;
  if (!snapshot::read_process(pid_, start, std::as_writable_bytes(std::span(page)))) return nullptr;
  return &pages_.emplace(start, page).first->second;
}

std::size_t ProgramCode::read(std::uint64_t address, std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const Page* from = page(address + done);
    if (from == nullptr) break;
    const std::size_t offset = (address + done) % kPage;
    const std::size_t size = std::min<std::size_t>(out.size() - done, kPage - offset);
    std::copy_n(from->begin() + static_cast<std::ptrdiff_t>(offset), size,
                out.begin() + static_cast<std::ptrdiff_t>(done));
    done += size;
  }
  return done;
}

bool ProgramCode::has_read(std::uint64_t start, std::uint64_t end) const {
  const auto first = pages_.lower_bound(start / kPage * kPage);
  return first != pages_.end() && first->first < end;
}

void ProgramCode::forget() {
  ranges_.clear();
  pages_.clear();
}

}  // namespace icecore::replay
