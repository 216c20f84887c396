// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/epoll_targets.h"

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "snapshot/proc/fdinfo.h"

namespace icecore::snapshot {
namespace {

using model::OpenFile;

struct Holder {
  int tid;
  int fd;
};

/// A thread that still has the process's descriptors.
int living_thread(const model::Process& process) {
  for (const auto& thread : process.threads()) {
    if (thread.state() != "Z" && thread.state() != "X") return thread.tid();
  }
  return process.pid();
}

class TargetSearch {
 public:
  explicit TargetSearch(const model::Snapshot& snapshot) : snapshot_(snapshot) {
    for (const auto& process : snapshot.processes()) {
      const int tid = living_thread(process);
      for (const auto& descriptor : process.descriptors()) {
        const auto id = descriptor.description();
        if (!holders_.emplace(id, Holder{tid, descriptor.fd()}).second) continue;
        by_inode_[file(id).identity().inode()].push_back(id);
      }
    }
  }

  void fill(const model::Process& process, int fd, OpenFile& epoll) {
    const std::vector<std::string_view> lines(epoll.fdinfo().begin(), epoll.fdinfo().end());
    std::map<int, unsigned> seen;
    for (const proc::EpollTarget& target : proc::parse_epoll_targets(lines)) {
      // The kernel counts those of one number: several files may have had it.
      const kcmp_epoll_slot slot{static_cast<unsigned>(fd), static_cast<unsigned>(target.fd),
                                 seen[target.fd]++};
      model::EpollTarget& filled = *epoll.add_epoll_targets();
      filled.set_fd(target.fd);
      filled.set_events(target.events);
      filled.set_data(target.data);
      filled.set_description(find(process, slot, target));
    }
  }

 private:
  [[nodiscard]] const OpenFile& file(std::uint32_t id) const {
    return snapshot_.open_files(static_cast<int>(id) - 1);
  }

  std::uint32_t find(const model::Process& process, const kcmp_epoll_slot& slot,
                     const proc::EpollTarget& target) const {
    const auto candidates = by_inode_.find(target.inode);
    if (candidates == by_inode_.end()) return 0;
    if (candidates->second.size() == 1 && has(process, target.fd, candidates->second[0])) {
      return candidates->second[0];
    }
    const int tid = living_thread(process);
    for (const std::uint32_t id : candidates->second) {
      const Holder& holder = holders_.at(id);
      if (::syscall(SYS_kcmp, holder.tid, tid, KCMP_EPOLL_TFD, holder.fd, &slot) == 0) return id;
    }
    return 0;
  }

  static bool has(const model::Process& process, int fd, std::uint32_t id) {
    // Ascending, as /proc lists them.
    const auto& all = process.descriptors();
    const auto found = std::lower_bound(all.begin(), all.end(), fd,
                                        [](const model::FileDescriptor& descriptor, int wanted) {
                                          return descriptor.fd() < wanted;
                                        });
    return found != all.end() && found->fd() == fd && found->description() == id;
  }

  const model::Snapshot& snapshot_;
  std::map<std::uint32_t, Holder> holders_;  ///< by OpenFile.id
  std::map<std::uint64_t, std::vector<std::uint32_t>> by_inode_;
};

}  // namespace

void find_epoll_targets(model::Snapshot& snapshot) {
  const auto is_epoll = [](const OpenFile& file) { return file.kind() == OpenFile::EPOLL; };
  if (std::ranges::none_of(snapshot.open_files(), is_epoll)) return;
  TargetSearch search(snapshot);
  for (const auto& process : snapshot.processes()) {
    for (const auto& descriptor : process.descriptors()) {
      OpenFile& file = *snapshot.mutable_open_files(static_cast<int>(descriptor.description()) - 1);
      if (is_epoll(file) && file.epoll_targets().empty()) {
        search.fill(process, descriptor.fd(), file);
      }
    }
  }
}

}  // namespace icecore::snapshot
