// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/namespaces.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

struct Kind {
  const char* name;
  const char* path;
  const char* same_as;  ///< not listed when equal to this one, which comes before
};
constexpr std::array kKinds = {
    Kind{"cgroup", "ns/cgroup", nullptr}, Kind{"ipc", "ns/ipc", nullptr},
    Kind{"mnt", "ns/mnt", nullptr},       Kind{"net", "ns/net", nullptr},
    Kind{"pid", "ns/pid", nullptr},       Kind{"pid_for_children", "ns/pid_for_children", "pid"},
    Kind{"time", "ns/time", nullptr},     Kind{"time_for_children", "ns/time_for_children", "time"},
    Kind{"user", "ns/user", nullptr},     Kind{"uts", "ns/uts", nullptr},
};

// "net:[4026531840]"
std::optional<std::uint64_t> inode_of(std::string_view target) {
  const auto open = target.find('[');
  if (open == std::string_view::npos || !target.ends_with(']')) return std::nullopt;
  return proc::to_number<std::uint64_t>(target.substr(open + 1, target.size() - open - 2));
}

}  // namespace

OwnNamespaces::OwnNamespaces() {
  for (const Kind& kind : kKinds) {
    char target[64];
    const ssize_t size =
        ::readlink((std::string("/proc/self/") + kind.path).c_str(), target, sizeof target);
    if (size <= 0) continue;
    const auto inode = inode_of({target, static_cast<std::size_t>(size)});
    if (inode) inodes_[kind.name] = *inode;
  }
}

bool OwnNamespaces::shares(const std::string& kind, std::uint64_t inode) const {
  const auto found = inodes_.find(kind);
  return found != inodes_.end() && found->second == inode;
}

void capture_namespaces(const ProcDirectory& directory, const OwnNamespaces& own,
                        model::Process& process) {
  std::map<std::string_view, std::uint64_t> seen;
  for (const Kind& kind : kKinds) {
    const auto target = directory.read_link(kind.path);
    const auto inode = target ? inode_of(*target) : std::nullopt;
    if (!inode) continue;
    seen[kind.name] = *inode;
    if (kind.same_as != nullptr && seen[kind.same_as] == *inode) continue;
    model::Namespace& listed = *process.add_namespaces();
    listed.set_kind(kind.name);
    listed.set_inode(*inode);
    listed.set_shared_with_icecore(own.shares(kind.name, *inode));
  }
}

const model::Namespace* own_namespace(const model::Process& process, std::string_view kind) {
  const auto found = std::ranges::find_if(process.namespaces(), [&](const auto& space) {
    return space.kind() == kind && !space.shared_with_icecore();
  });
  return found == process.namespaces().end() ? nullptr : &*found;
}

}  // namespace icecore::snapshot
