// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/error.h"
#include "replay/files/inherited.h"
#include "replay/files/makers.h"
#include "replay/files/own_table.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

// Of an EPOLLONESHOT target that has fired nothing else is left.
constexpr unsigned kModes = EPOLLONESHOT | EPOLLET | EPOLLWAKEUP | EPOLLEXCLUSIVE;

bool has_fired(const model::EpollTarget& target) {
  return (target.events() & EPOLLONESHOT) != 0 && (target.events() & ~kModes) == 0;
}

bool is_signalfd(const model::Snapshot& model, const model::EpollTarget& target) {
  const OpenFile* const file = find_description(model, target.description());
  return file != nullptr && file->kind() == OpenFile::SIGNALFD;
}

/// The kernel knows a target by its description and the number that it was added under.
class Targets {
 public:
  Targets(const Making& making, const OpenFile& file)
      : making_(making), file_(file), above_(highest_number(file) + 1) {}

  // In a descriptor table of our own. The duplicates are made before any number is used for a
  // target, which may be one that our own descriptors have.
  void add_all() {
    epoll_ = duplicate(file_.id());
    for (const auto& target : file_.epoll_targets()) duplicate(target.description());
    // First those that have fired: they fire once more, into the void.
    for (const auto& target : file_.epoll_targets()) {
      if (has_fired(target)) add(target, (target.events() & kModes) | EPOLLIN | EPOLLOUT);
    }
    epoll_event event{};
    while (::epoll_wait(epoll_, &event, 1, 0) == 1) {
    }
    for (const auto& target : file_.epoll_targets()) {
      if (!has_fired(target)) add(target, target.events());
    }
  }

 private:
  static int highest_number(const OpenFile& file) {
    int highest = STDERR_FILENO;
    for (const auto& target : file.epoll_targets()) highest = std::max(highest, target.fd());
    return highest;
  }

  int duplicate(std::uint32_t description) {
    const auto [known, is_new] = duplicates_.emplace(description, -1);
    if (is_new) {
      const int fd = making_.made.at(description).get();
      known->second = ::fcntl(fd, F_DUPFD_CLOEXEC, above_);
      if (known->second < 0) throw_errno("duplicate a descriptor");
    }
    return known->second;
  }

  void add(const model::EpollTarget& target, unsigned events) {
    if (is_signalfd(making_.snapshot.model(), target)) return;  // see add_signalfd_targets()
    const std::string what = "target " + std::to_string(target.fd());
    if (::dup2(duplicate(target.description()), target.fd()) < 0) throw_errno(what);
    epoll_event event{};
    event.events = events;
    event.data.u64 = target.data();
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, target.fd(), &event) == 0) return;
    // A stream that the tree has inherited from us may be a file now, which is always ready: the
    // kernel refuses to watch it, and the tree waits for it as for a pipe on which nothing comes.
    if (errno != EPERM) throw_errno(what);
  }

  const Making& making_;
  const OpenFile& file_;
  int above_;
  int epoll_ = -1;
  std::map<std::uint32_t, int> duplicates_;
};

}  // namespace

Objection check_epoll(const Checking& checking, const OpenFile& file) {
  for (const auto& target : file.epoll_targets()) {
    if (find_description(checking.model, target.description()) != nullptr) continue;
    return {"it watches a file, added as fd " + std::to_string(target.fd()) +
                ", that no process of the tree has open any more",
            ""};
  }
  return {};
}

void make_epoll(Making& making, const OpenFile& file) {
  UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd.valid()) throw_errno("epoll_create");
  making.made.emplace(file.id(), std::move(fd));
}

void link_epoll(Making& making, const OpenFile& file) {
  if (file.epoll_targets().empty()) return;
  with_own_table([&] {
    Targets targets(making, file);
    targets.add_all();
  });
}

}  // namespace icecore::replay
