// SPDX-License-Identifier: Apache-2.0
// Watches a directory that it also has open, by inotify and by fanotify: nothing happens there
// while it is restored, and what happens afterwards is told as before.
#include <sys/fanotify.h>
#include <sys/inotify.h>

#include <array>
#include <cstring>

#include "revive_case.h"

namespace {

std::string watched;

std::string next_event(int inotify) {
  alignas(inotify_event) std::array<char, 4096> room{};
  const ssize_t size = ::read(inotify, room.data(), room.size());
  if (size < 0) return std::strerror(errno);
  inotify_event event{};
  std::memcpy(&event, room.data(), sizeof event);
  return std::to_string(event.wd) + ": " + std::to_string(event.mask) + " " +
         (room.data() + sizeof event);
}

std::string next_marks(int group) {
  std::array<fanotify_event_metadata, 16> events{};
  const ssize_t size = ::read(group, events.data(), sizeof events);
  if (size < 0) return std::strerror(errno);
  std::string text;
  for (std::size_t i = 0; i < static_cast<std::size_t>(size) / sizeof events[0]; ++i) {
    text += std::to_string(events[i].mask) + " by " +
            (events[i].pid == ::getpid() ? "itself " : "another ");
    ::close(events[i].fd);
  }
  return text;
}

}  // namespace

int main(int, char** argv) {
  revive::begin(argv);
  watched = revive::directory + "/watched";
  ::mkdir(watched.c_str(), 0700);
  const int inotify = ::inotify_init1(IN_NONBLOCK);
  ::inotify_add_watch(inotify, watched.c_str(), IN_ALL_EVENTS);
  const int group = ::fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
  if (::fanotify_mark(group, FAN_MARK_ADD,
                      FAN_OPEN | FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD | FAN_ONDIR, AT_FDCWD,
                      watched.c_str()) != 0) {
    return 2;
  }
  const int directory = ::open(watched.c_str(), O_RDONLY | O_DIRECTORY);
  next_event(inotify);
  next_marks(group);
  revive::ready();
  revive::wait_for_go();

  revive::expect_equal("events of inotify", next_event(inotify), std::strerror(EAGAIN));
  revive::expect_equal("events of fanotify", next_marks(group), std::strerror(EAGAIN));
  const int file = ::openat(directory, "new", O_CREAT | O_WRONLY, 0600);
  revive::expect_equal("an event", next_event(inotify), "1: " + std::to_string(IN_CREATE) + " new");
  revive::expect_equal("a mark", next_marks(group), std::to_string(FAN_OPEN) + " by itself ");
  ::close(file);
  revive::expect_equal("another mark", next_marks(group),
                       std::to_string(FAN_CLOSE_WRITE) + " by itself ");
  revive::finish();
}
