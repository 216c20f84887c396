// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/mappings.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <charconv>
#include <string>

#include "snapshot/capture/guard_regions.h"
#include "snapshot/capture/pagemap_scan.h"
#include "snapshot/proc/maps.h"
#include "snapshot/proc/smaps.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

// The kernel writes a newline in a path as \012 and nothing else so.
std::string plain_name(std::string_view name) {
  return name.find('\\') == std::string_view::npos ? std::string(name) : proc::unescape_octal(name);
}

void fill(const proc::MapsLine& line, model::Mapping& mapping) {
  mapping.set_start(line.start);
  mapping.set_end(line.end);
  mapping.set_readable(line.readable);
  mapping.set_writable(line.writable);
  mapping.set_executable(line.executable);
  mapping.set_shared(line.shared);
  mapping.set_offset(line.offset);
  mapping.set_device(line.device);
  mapping.set_inode(line.inode);
  std::string_view name = line.name;
  if (line.inode != 0) mapping.set_deleted(proc::take_deleted(name));
  mapping.set_name(plain_name(name));
  if (is_kernel_mapping(name)) {
    mapping.set_content(model::Mapping::KERNEL);
  } else if (is_secret_memory(mapping)) {
    mapping.set_content(model::Mapping::NOT_HELD);
  }
}

void apply(const proc::SmapsEntry& entry, model::Mapping& mapping) {
  mapping.set_flags(std::string(entry.flags));
  if (entry.page_size != 4096) mapping.set_page_size(entry.page_size);
  if (mapping.content() != model::Mapping::HELD) return;
  const bool device_memory =
      proc::has_vm_flag(entry.flags, "io") || proc::has_vm_flag(entry.flags, "pf");
  if (device_memory || proc::has_vm_flag(entry.flags, "dd")) {
    mapping.set_content(model::Mapping::NOT_HELD);
  }
}

}  // namespace

bool is_kernel_mapping(std::string_view name) {
  return name.starts_with("[vvar") || name == "[vsyscall]" || name == "[uprobes]";
}

bool is_secret_memory(const model::Mapping& mapping) {
  return mapping.deleted() && mapping.name() == "/secretmem";
}

bool is_anonymous_huge(const model::Mapping& mapping) {
  return mapping.deleted() && mapping.name() == "/anon_hugepage";
}

bool is_ring(const model::Mapping& mapping) {
  return mapping.name() == "anon_inode:[io_uring]" ||
         (mapping.deleted() && mapping.name() == "/[aio]");
}

bool has_content(const ProcDirectory& directory, const model::Mapping& mapping) {
  const UniqueFd pagemap = directory.open_file("pagemap", O_RDONLY);
  PageRegion region{};
  PageScanArgument argument{.size = sizeof(PageScanArgument),
                            .flags = 0,
                            .start = mapping.start(),
                            .end = mapping.end(),
                            .walk_end = 0,
                            .regions = reinterpret_cast<std::uint64_t>(&region),
                            .region_count = 1,
                            .max_pages = 0,
                            .category_inverted = kPageIsZeroFrame,
                            .category_mask = kPageIsZeroFrame,
                            .category_any_of = kPageIsPresent | kPageIsSwapped,
                            .return_mask = kPageIsPresent};
  return !pagemap.valid() || ::ioctl(pagemap.get(), kPagemapScan, &argument) != 0;
}

std::string mapping_range(const model::Mapping& mapping) {
  char text[40];
  char* position = std::to_chars(text, text + 18, mapping.start(), 16).ptr;
  *position++ = '-';
  position = std::to_chars(position, text + sizeof text, mapping.end(), 16).ptr;
  return {text, position};
}

void capture_mappings(const ProcDirectory& directory, model::Process& process) {
  auto text = directory.read_shared("maps");
  if (!text) return;
  process.mutable_mappings()->Reserve(static_cast<int>(text->size() / 90 + 1));
  while (!text->empty()) {
    fill(proc::parse_maps_line(proc::take_line(*text)), *process.add_mappings());
  }
}

void capture_mapping_flags(const ProcDirectory& directory, model::Process& process) {
  const auto text = directory.read_shared("smaps");
  if (!text) return;
  // Both are in the order of addresses. A mapping may meanwhile have grown, or been merged with a
  // neighbour: the entry that covers it then has its flags.
  const std::vector<proc::SmapsEntry> entries = proc::parse_smaps(*text);
  auto entry = entries.begin();
  UniqueFd pagemap;
  for (model::Mapping& mapping : *process.mutable_mappings()) {
    while (entry != entries.end() && entry->end <= mapping.start()) ++entry;
    if (entry == entries.end()) break;
    if (entry->start > mapping.start() || entry->end < mapping.end()) continue;
    apply(*entry, mapping);
    if (!proc::has_vm_flag(entry->flags, "gu")) continue;
    if (!pagemap.valid()) pagemap = directory.open_file("pagemap", O_RDONLY);
    if (pagemap.valid()) capture_guard_regions(pagemap.get(), mapping);
  }
}

}  // namespace icecore::snapshot
