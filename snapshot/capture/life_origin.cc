// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/life_origin.h"

#include <algorithm>
#include <sstream>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/mountinfo.h"

namespace icecore::snapshot {
namespace {

struct Offsets {
  std::int64_t monotonic_ns = 0;
  std::int64_t boottime_ns = 0;
};

/// "monotonic -12 345678" and the same for boottime.
Offsets offsets_of(const std::string& process) {
  Offsets offsets;
  std::istringstream lines(ProcDirectory::read_file("/proc/" + process + "/timens_offsets"));
  std::string name;
  std::int64_t seconds = 0;
  std::int64_t rest = 0;
  while (lines >> name >> seconds >> rest) {
    const std::int64_t offset = seconds * 1'000'000'000 + rest;
    (name == "monotonic" ? offsets.monotonic_ns : offsets.boottime_ns) = offset;
  }
  return offsets;
}

const model::Namespace* own_namespace(const model::Process& process, std::string_view kind) {
  const auto found = std::ranges::find_if(process.namespaces(), [&](const auto& space) {
    return space.kind() == kind && !space.shared_with_icecore();
  });
  return found == process.namespaces().end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::string> restored_from(int pid) {
  const std::string text = ProcDirectory::read_file("/proc/" + std::to_string(pid) + "/mountinfo");
  for (const auto& mount : proc::parse_mountinfo(text)) {
    if (mount.type == "proc" && mount.source.starts_with(kLifeMark)) {
      return mount.source.substr(kLifeMark.size());
    }
  }
  return std::nullopt;
}

void capture_life_origin(model::Snapshot& snapshot) {
  const auto root =
      std::ranges::find(snapshot.processes(), snapshot.root_pid(), &model::Process::pid);
  if (root == snapshot.processes().end()) return;
  if (own_namespace(*root, "time") != nullptr) {
    const Offsets theirs = offsets_of(std::to_string(root->pid()));
    const Offsets ours = offsets_of("self");
    snapshot.mutable_clocks()->set_monotonic_offset_ns(theirs.monotonic_ns - ours.monotonic_ns);
    snapshot.mutable_clocks()->set_boottime_offset_ns(theirs.boottime_ns - ours.boottime_ns);
  }
  const auto* mounts = own_namespace(*root, "mnt");
  if (mounts == nullptr) return;
  const auto origin = restored_from(root->pid());
  if (!origin) return;
  snapshot.set_origin(*origin);
  const std::uint64_t inode = mounts->inode();
  for (auto& process : *snapshot.mutable_processes()) {
    for (auto& space : *process.mutable_namespaces()) {
      if (space.kind() == "mnt" && space.inode() == inode) space.set_made_by_icecore(true);
    }
  }
}

}  // namespace icecore::snapshot
