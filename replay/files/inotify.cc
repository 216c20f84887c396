// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "replay/files/makers.h"
#include "replay/files/status_flags.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

constexpr unsigned long kSetNextWatch = _IOW('I', 0, std::int32_t);  // INOTIFY_IOC_SETNEXTWD

void add_watch(int inotify, int root, const model::Watch& watch) {
  const UniqueFd watched = open_in_tree(root, watch.path(), O_PATH | O_NOFOLLOW);
  const std::string link = "/proc/self/fd/" + std::to_string(watched.get());
  if (::ioctl(inotify, kSetNextWatch, watch.id()) != 0) throw_errno("choose the watch number");
  if (::inotify_add_watch(inotify, link.c_str(), watch.mask()) != watch.id()) {
    throw_errno("watch " + watch.path());
  }
}

}  // namespace

Objection check_inotify(const Checking& /*checking*/, const model::OpenFile& file) {
  if (file.unread_bytes() > 0) return {"the events that wait in it cannot be put back", ""};
  for (const auto& watch : file.watches()) {
    if (watch.path().empty()) return {"it watches a file that had no name any more", ""};
  }
  return {};
}

void make_inotify(Making& making, const model::OpenFile& file) {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC));
  if (!fd.valid()) throw_errno("inotify_init");
  set_status_flags(fd.get(), file);
  making.made.emplace(file.id(), std::move(fd));
}

void link_inotify(Making& making, const model::OpenFile& file) {
  const int inotify = making.made.at(file.id()).get();
  std::vector<const model::Watch*> watches;
  for (const auto& watch : file.watches()) watches.push_back(&watch);
  std::ranges::sort(watches, {}, [](const auto* watch) { return watch->id(); });
  for (const auto* watch : watches) add_watch(inotify, making.surroundings.root, *watch);
}

}  // namespace icecore::replay
