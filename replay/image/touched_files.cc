// SPDX-License-Identifier: Apache-2.0
#include "replay/image/touched_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <set>

#include "base/unique_fd.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/capture/process_tree.h"
#include "snapshot/proc/maps.h"
#include "snapshot/proc/text.h"
#include "store/types.h"

namespace icecore::replay {
namespace {

// A disk reads so much in one go anyway.
constexpr std::uint64_t kGap = 32 * store::kPageSize;
constexpr std::uint64_t kPresent = std::uint64_t{1} << 63U;  // Documentation/admin-guide/mm/pagemap

using Pages = std::map<std::string, std::set<std::uint64_t>>;  // offsets by path

void add_present(const UniqueFd& pagemap, const snapshot::proc::MapsLine& mapping, Pages& pages) {
  std::vector<std::uint64_t> entries((mapping.end - mapping.start) / store::kPageSize);
  const auto at = static_cast<off_t>(mapping.start / store::kPageSize * sizeof entries[0]);
  const ssize_t got =
      ::pread(pagemap.get(), entries.data(), entries.size() * sizeof entries[0], at);
  const std::size_t count = got < 0 ? 0 : static_cast<std::size_t>(got) / sizeof entries[0];
  for (std::size_t i = 0; i < count; ++i) {
    if ((entries[i] & kPresent) == 0) continue;
    pages[std::string(mapping.name)].insert(mapping.offset + i * store::kPageSize);
  }
}

void add_process(int pid, Pages& pages) {
  const std::string directory = "/proc/" + std::to_string(pid);
  const UniqueFd pagemap(::open((directory + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC));
  if (!pagemap.valid()) return;
  const std::string text = snapshot::ProcDirectory::read_file(directory + "/maps");
  for (auto mapping : snapshot::proc::parse_maps(text)) {
    const bool is_file = mapping.inode != 0 && mapping.name.starts_with('/');
    if (is_file && !snapshot::proc::take_deleted(mapping.name)) {
      add_present(pagemap, mapping, pages);
    }
  }
}

}  // namespace

std::vector<TouchedRange> touched_files(int root) {
  Pages pages;
  for (const int pid : snapshot::process_tree(root)) add_process(pid, pages);
  std::vector<TouchedRange> ranges;
  for (const auto& [path, offsets] : pages) {
    for (const std::uint64_t offset : offsets) {
      const bool goes_on = !ranges.empty() && ranges.back().path == path &&
                           offset <= ranges.back().offset + ranges.back().size + kGap;
      if (goes_on) {
        ranges.back().size = offset + store::kPageSize - ranges.back().offset;
      } else {
        ranges.push_back({path, offset, store::kPageSize});
      }
    }
  }
  return ranges;
}

std::string touched_text(const std::vector<TouchedRange>& ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text +=
        std::to_string(range.offset) + " " + std::to_string(range.size) + " " + range.path + "\n";
  }
  return text;
}

std::vector<TouchedRange> parse_touched(std::string_view text) {
  namespace proc = snapshot::proc;
  std::vector<TouchedRange> ranges;
  while (!text.empty()) {
    std::string_view line = proc::take_line(text);
    const auto offset = proc::to_number<std::uint64_t>(proc::take_word(line));
    const auto size = proc::to_number<std::uint64_t>(proc::take_word(line));
    if (!offset || !size || !line.starts_with(" /")) continue;
    ranges.push_back({std::string(line.substr(1)), *offset, *size});
  }
  return ranges;
}

}  // namespace icecore::replay
