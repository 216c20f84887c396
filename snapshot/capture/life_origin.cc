// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/life_origin.h"

#include <sstream>

#include "base/clock.h"
#include "snapshot/capture/namespaces.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/capture/root_process.h"
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
    const std::int64_t offset = seconds * kNsPerSecond + rest;
    (name == "monotonic" ? offsets.monotonic_ns : offsets.boottime_ns) = offset;
  }
  return offsets;
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
  const auto* root = root_process(snapshot);
  if (root == nullptr) return;
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
