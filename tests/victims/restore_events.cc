// SPDX-License-Identifier: Apache-2.0
// Has pipes, eventfds, timers, signalfds, watches and epolls in many states, and tells on "check"
// whether all of them still are as they were. It watches the directory that it is given.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

namespace {

std::map<std::string, int> fds;
std::string watched;

void tell(const char* name, int fd) {
  if (fd < 0) ::_exit(2);
  fds[name] = fd;
  std::printf(" %s=%d", name, fd);
}

void open_pipes() {
  int ends[2];
  ::pipe2(ends, O_CLOEXEC);
  ::fcntl(ends[0], F_SETPIPE_SZ, 1 << 18);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const std::string many(100'000, 'x');
  ::write(ends[1], many.data(), many.size());
  tell("full_read", ends[0]);
  tell("full_write", ends[1]);
  tell("full_again", ::open(("/proc/self/fd/" + std::to_string(ends[0])).c_str(), O_RDONLY));
  ::pipe(ends);
  ::write(ends[1], "end", 3);
  ::close(ends[1]);
  tell("widow", ends[0]);
  ::pipe(ends);
  ::close(ends[0]);
  tell("widower", ends[1]);
  ::pipe2(ends, O_DIRECT);
  ::write(ends[1], "one", 3);
  ::write(ends[1], "three", 5);
  tell("packet_read", ends[0]);
  tell("packet_write", ends[1]);
  ::fcntl(ends[0], F_SETOWN, ::getpid());
  ::fcntl(ends[0], F_SETSIG, SIGUSR2);
}

void open_counters() {
  const int counter = ::eventfd(0x1234, EFD_NONBLOCK);
  tell("counter", counter);
  tell("semaphore", ::eventfd(2, EFD_SEMAPHORE | EFD_CLOEXEC));
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0);
  const itimerspec hour = {{1, 500}, {3600, 0}};
  ::timerfd_settime(timer, 0, &hour, nullptr);
  tell("timer", timer);
  const int past = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  const itimerspec soon = {{1000, 0}, {0, 1}};
  ::timerfd_settime(past, 0, &soon, nullptr);
  pollfd expired = {past, POLLIN, 0};
  ::poll(&expired, 1, -1);
  tell("expired", past);
  const int wall = ::timerfd_create(CLOCK_REALTIME, 0);
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  const itimerspec then = {{0, 0}, {now.tv_sec + 7200, 0}};
  ::timerfd_settime(wall, TFD_TIMER_ABSTIME, &then, nullptr);
  tell("wall", wall);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 3);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  tell("signals", ::signalfd(-1, &set, SFD_NONBLOCK));
  tell("self", static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  tell("dead", static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  ::waitpid(child, nullptr, 0);
}

void open_watches() {
  const int watches = ::inotify_init1(IN_NONBLOCK);
  ::inotify_rm_watch(watches, ::inotify_add_watch(watches, "/", IN_CREATE));
  ::inotify_add_watch(watches, watched.c_str(), IN_CREATE | IN_DELETE);
  ::inotify_add_watch(watches, "/usr", IN_ATTRIB | IN_ONLYDIR);
  char event[4096];  // that the first one is gone
  ::read(watches, event, sizeof event);
  tell("watches", watches);
}

void add(int epoll, int fd, unsigned events, std::uint64_t data) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) ::_exit(3);
}

void open_epolls() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  tell("epoll", epoll);
  add(epoll, fds["full_read"], EPOLLIN | EPOLLET, 1);
  add(epoll, fds["counter"], EPOLLIN, 0xffff'ffff'ffff'fff2);
  const int again = ::dup(fds["counter"]);
  add(epoll, again, EPOLLOUT, 3);
  const int gone = ::dup(fds["semaphore"]);
  add(epoll, gone, EPOLLIN, 4);
  ::close(gone);
  add(epoll, fds["signals"], EPOLLIN, 5);
  const int outer = ::epoll_create1(0);
  add(outer, epoll, EPOLLIN, 6);
  tell("outer", outer);
  // A number that leads to something else by now.
  const int other = ::dup(fds["timer"]);
  add(outer, other, EPOLLIN, 7);
  ::dup2(fds["widow"], other);
  tell("reused", other);
  add(outer, fds["packet_write"], EPOLLOUT | EPOLLONESHOT, 8);
  epoll_event events[8];
  ::epoll_wait(outer, events, 8, 0);
}

// ---- after the restore

int failures = 0;
void expect(bool good, const char* what) {
  if (!good) std::printf("%s%s", failures++ == 0 ? "WRONG " : ", ", what);
}

std::string read_some(const char* name) {
  static char buffer[1 << 18];
  const ssize_t size = ::read(fds[name], buffer, sizeof buffer);
  return size < 0 ? "error " + std::to_string(errno)
                  : std::string(buffer, static_cast<std::size_t>(size));
}

void check_pipes() {
  expect(::fcntl(fds["full_write"], F_GETPIPE_SZ) == 1 << 18, "pipe size");
  expect(read_some("full_read") == std::string(100'000, 'x'), "pipe content");
  expect(read_some("full_read") == "error " + std::to_string(EAGAIN), "nonblocking pipe");
  ::write(fds["full_write"], "more", 4);
  expect(read_some("full_again") == "more", "second description of a pipe");
  expect(read_some("widow") == "end" && read_some("widow").empty(), "pipe without writer");
  ::signal(SIGPIPE, SIG_IGN);
  expect(::write(fds["widower"], "x", 1) < 0 && errno == EPIPE, "pipe without reader");
  expect(read_some("packet_read") == "one", "first packet");
  expect(read_some("packet_read") == "three", "second packet");
  ::write(fds["packet_write"], "a", 1);
  ::write(fds["packet_write"], "b", 1);
  expect(read_some("packet_read") == "a", "packet mode");
  read_some("packet_read");
  expect(::fcntl(fds["packet_read"], F_GETOWN) == ::getpid(), "owner of a pipe");
  expect(::fcntl(fds["packet_read"], F_GETSIG) == SIGUSR2, "signal of a pipe");
  expect((::fcntl(fds["full_write"], F_GETFD) & FD_CLOEXEC) != 0, "close on exec");
}

std::uint64_t read_count(const char* name) {
  std::uint64_t count = 0;
  return ::read(fds[name], &count, sizeof count) == sizeof count ? count : 0;
}

void check_epolls() {
  epoll_event events[8];
  std::map<std::uint64_t, unsigned> seen;
  int count = ::epoll_wait(fds["epoll"], events, 8, 0);
  for (int i = 0; i < count; ++i) seen[events[i].data.u64] = events[i].events;
  expect(seen.contains(1) && seen.contains(0xffff'ffff'ffff'fff2), "epoll events");
  expect(seen.contains(3) && seen.contains(4) && !seen.contains(5), "duplicated epoll targets");
  ::kill(::getpid(), SIGUSR1);
  seen.clear();
  count = ::epoll_wait(fds["epoll"], events, 8, 0);
  for (int i = 0; i < count; ++i) seen[events[i].data.u64] = events[i].events;
  expect(!seen.contains(1), "edge triggered");
  expect(seen.contains(5), "signalfd in an epoll");
  signalfd_siginfo info{};
  expect(::read(fds["signals"], &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1,
         "signalfd");
  seen.clear();
  count = ::epoll_wait(fds["outer"], events, 8, 0);
  for (int i = 0; i < count; ++i) seen[events[i].data.u64] = events[i].events;
  expect(seen.contains(6) && !seen.contains(7) && !seen.contains(8), "epoll in an epoll");
}

void check_counters() {
  expect(read_count("counter") == 0x1234, "eventfd count");
  expect(read_count("semaphore") == 1 && read_count("semaphore") == 1, "eventfd semaphore");
  itimerspec left;
  ::timerfd_gettime(fds["timer"], &left);
  expect(left.it_value.tv_sec > 3500 && left.it_interval.tv_nsec == 500, "timerfd");
  expect(read_count("expired") == 1 && read_count("expired") == 0, "ticks");
  ::timerfd_gettime(fds["expired"], &left);
  expect(left.it_value.tv_sec > 900 && left.it_interval.tv_sec == 1000, "expired timerfd");
  ::timerfd_gettime(fds["wall"], &left);
  expect(left.it_value.tv_sec > 7000 && left.it_value.tv_sec <= 7200, "absolute timerfd");
  pollfd self = {fds["self"], POLLIN, 0};
  expect(
      ::poll(&self, 1, 0) == 0 && ::syscall(SYS_pidfd_send_signal, fds["self"], 0, nullptr, 0) == 0,
      "pidfd");
  pollfd dead = {fds["dead"], POLLIN, 0};
  expect(::poll(&dead, 1, 0) == 1, "pidfd of the dead");
}

void check_watches() {
  expect(read_some("watches") == "error " + std::to_string(EAGAIN), "no event");
  ::close(::open((watched + "/new").c_str(), O_CREAT | O_WRONLY, 0600));
  const std::string bytes = read_some("watches");
  inotify_event event{};
  if (bytes.size() >= sizeof event) std::memcpy(&event, bytes.data(), sizeof event);
  expect(event.wd == 2 && event.mask == IN_CREATE, "inotify event");
  ::unlink((watched + "/new").c_str());
  read_some("watches");
  expect(::inotify_add_watch(fds["watches"], "/usr", IN_ATTRIB) == 3, "number of a known watch");
  expect(::inotify_add_watch(fds["watches"], "/tmp", IN_ATTRIB) == 4, "next watch number");
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 1;
  watched = arguments[1];
  std::printf("READY");
  open_pipes();
  open_counters();
  open_watches();
  open_epolls();
  std::printf("\n");
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strncmp(line, "check", 5) == 0) {
      check_epolls();
      check_pipes();
      check_counters();
      check_watches();
      std::printf("%s\n", failures == 0 ? "DONE" : "");
      std::fflush(stdout);
    }
  }
}
