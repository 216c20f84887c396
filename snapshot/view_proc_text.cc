// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_proc_text.h"

#include <sys/sysmacros.h>

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>

#include "snapshot/view_proc_status.h"

namespace icecore::snapshot {
namespace {

constexpr std::size_t kNameColumn = 73;

std::string maps_line(const model::Mapping& mapping) {
  char line[160];
  const int length = std::snprintf(
      line, sizeof line,
      "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " %02x:%02x %" PRIu64 " ", mapping.start(),
      mapping.end(), mapping.readable() ? 'r' : '-', mapping.writable() ? 'w' : '-',
      mapping.executable() ? 'x' : '-', mapping.shared() ? 's' : 'p', mapping.offset(),
      major(mapping.device()), minor(mapping.device()), mapping.inode());
  std::string text(line, static_cast<std::size_t>(length));
  if (!mapping.name().empty()) {
    if (text.size() < kNameColumn) text.resize(kNameColumn, ' ');
    text += mapping.name();
    if (mapping.deleted()) text += " (deleted)";
  }
  return text + "\n";
}

std::string maps_text(const model::Process& process) {
  std::string text;
  for (const model::Mapping& mapping : process.mappings()) text += maps_line(mapping);
  return text;
}

/// How many bytes of a mapping the snapshot holds as pages of its own.
std::uint64_t own_bytes(const StoredSnapshot& snapshot, const model::Process& process,
                        const model::Mapping& mapping) {
  const bool shared = mapping.shared_space() != 0;
  const auto space = store::SpaceId{shared ? mapping.shared_space() : process.space()};
  const std::uint64_t first = (shared ? mapping.offset() : mapping.start()) / store::kPageSize;
  const std::uint64_t count = (mapping.end() - mapping.start()) / store::kPageSize;
  std::uint64_t pages = 0;
  for (const auto& range : snapshot.reader().present(space, {first, count})) pages += range.count;
  return pages * store::kPageSize;
}

// gdb reads it for generate-core-file: the sizes say which mappings have pages of their own.
std::string smaps_text(const StoredSnapshot& snapshot, const model::Process& process) {
  std::string text;
  for (const model::Mapping& mapping : process.mappings()) {
    const std::uint64_t own = own_bytes(snapshot, process, mapping) / 1024;
    const std::uint64_t shared = mapping.shared() ? own : 0;
    const std::uint64_t page_size =
        mapping.page_size() == 0 ? store::kPageSize : mapping.page_size();
    const auto row = [&](const char* name, std::uint64_t kilobytes) {
      char line[64];
      std::snprintf(line, sizeof line, "%-16s%8" PRIu64 " kB\n", name, kilobytes);
      text += line;
    };
    text += maps_line(mapping);
    row("Size:", (mapping.end() - mapping.start()) / 1024);
    row("KernelPageSize:", page_size / 1024);
    row("MMUPageSize:", page_size / 1024);
    row("Rss:", own);
    row("Pss:", own);
    row("Shared_Clean:", 0);
    row("Shared_Dirty:", shared);
    row("Private_Clean:", 0);
    row("Private_Dirty:", own - shared);
    row("Referenced:", own);
    row("Anonymous:", own - shared);
    row("AnonHugePages:", 0);
    row("Swap:", 0);
    row("Locked:", 0);
    text += "VmFlags: " + mapping.flags() + "\n";
  }
  return text;
}

std::string hex_line(std::uint32_t value) {
  char line[16];
  std::snprintf(line, sizeof line, "%08x\n", value);
  return line;
}

}  // namespace

std::optional<std::string> proc_file_text(const StoredSnapshot& snapshot,
                                          const model::Process& process,
                                          const model::Thread& thread, std::string_view name) {
  if (name == "maps") return maps_text(process);
  if (name == "smaps") return smaps_text(snapshot, process);
  if (name == "stat") return proc_stat_text(process, thread);
  if (name == "status") return proc_status_text(process, thread);
  if (name == "cmdline") return process.command_line();
  if (name == "environ") return process.environment();
  if (name == "auxv") return process.auxv();
  if (name == "comm") return thread.name() + "\n";
  if (name == "coredump_filter") return hex_line(process.coredump_filter());
  if (name == "cgroup") return process.cgroup();
  return std::nullopt;
}

std::optional<std::string> proc_link_target(const model::Snapshot& snapshot,
                                            const model::Process& process, std::string_view name) {
  constexpr std::string_view kDescriptor = "fd/";
  if (name == "exe") {
    return process.executable() + (process.executable_deleted() ? " (deleted)" : "");
  }
  if (name == "cwd") return process.working_directory();
  if (name == "root") return process.root_directory();
  if (!name.starts_with(kDescriptor)) return std::nullopt;
  name.remove_prefix(kDescriptor.size());
  int wanted = -1;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), wanted);
  if (failure != std::errc() || end != name.data() + name.size()) return std::nullopt;
  for (const auto& descriptor : process.descriptors()) {
    if (descriptor.fd() != wanted) continue;
    for (const auto& file : snapshot.open_files()) {
      if (file.id() == descriptor.description()) return file.target();
    }
  }
  return std::nullopt;
}

}  // namespace icecore::snapshot
