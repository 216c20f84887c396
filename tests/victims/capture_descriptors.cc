// SPDX-License-Identifier: Apache-2.0
// Opens one descriptor of each kind and tells their numbers, "name=fd" each, behind READY.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

void tell(const char* name, int fd) { std::printf(" %s=%d", name, fd); }

void open_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0 || ::write(ends[1], "unread", 6) != 6) std::exit(1);
  ::fcntl(ends[0], F_SETPIPE_SZ, 1 << 18);
  ::fcntl(ends[0], F_SETOWN, ::getpid());
  ::fcntl(ends[0], F_SETSIG, SIGUSR2);
  tell("pipe_read", ends[0]);
  tell("pipe_write", ends[1]);
  tell("pipe_dup", ::dup(ends[0]));
}

void open_sockets() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) std::exit(1);
  if (::write(pair[0], "12345", 5) != 5) std::exit(1);
  tell("unix_a", pair[0]);
  tell("unix_b", pair[1]);
  const int named = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name = {AF_UNIX, ""};
  const int length = std::snprintf(name.sun_path + 1, 64, "icecore-test-%d", ::getpid());
  ::bind(named, reinterpret_cast<sockaddr*>(&name),
         static_cast<socklen_t>(sizeof(sa_family_t) + 1 + length));
  ::listen(named, 3);
  tell("unix_listen", named);
  const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ::connect(client, reinterpret_cast<sockaddr*>(&name),
            static_cast<socklen_t>(sizeof(sa_family_t) + 1 + length));
  tell("unix_waiting", client);
}

void open_tcp() {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(server, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(server, 5);
  ::getsockname(server, reinterpret_cast<sockaddr*>(&address), &size);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(client, reinterpret_cast<sockaddr*>(&address), size) != 0) std::exit(1);
  tell("tcp_listen", server);
  tell("tcp_client", client);
  tell("tcp_accepted", ::accept(server, nullptr, nullptr));
  tell("port", ntohs(address.sin_port));
}

void open_terminal() {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  ::grantpt(master);
  ::unlockpt(master);
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  winsize size = {33, 77, 0, 0};
  ::ioctl(slave, TIOCSWINSZ, &size);
  tell("pty_master", master);
  tell("pty_slave", slave);
  tell("pty_index", std::atoi(::strrchr(::ptsname(master), '/') + 1));
}

void open_anonymous() {
  tell("eventfd", ::eventfd(7, EFD_SEMAPHORE));
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, 0);
  const itimerspec hour = {{0, 0}, {3600, 0}};
  ::timerfd_settime(timer, 0, &hour, nullptr);
  tell("timerfd", timer);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  tell("signalfd", ::signalfd(-1, &set, 0));
  const int watches = ::inotify_init();
  ::inotify_add_watch(watches, "/tmp", IN_CREATE);
  tell("inotify", watches);
  const int epoll = ::epoll_create1(0);
  epoll_event event = {EPOLLIN, {}};
  event.data.u64 = 0x1234;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, watches, &event);
  tell("epoll", epoll);
  tell("pidfd", static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  char ring[120] = {};
  tell("io_uring", static_cast<int>(::syscall(425, 8, ring)));  // io_uring_setup
}

void open_files() {
  char name[] = "/tmp/icecore-victim-XXXXXX";
  const int file = ::mkstemp(name);
  if (::write(file, "0123456789", 10) != 10) std::exit(1);
  ::lseek(file, 4, SEEK_SET);
  ::unlink(name);
  tell("deleted", file);
  tell("directory", ::open("/", O_RDONLY | O_DIRECTORY));
  tell("path", ::open("/usr", O_PATH));
  tell("append", ::open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC));
  tell("proc", ::open("/proc/self/stat", O_RDONLY));
  const int memory = ::memfd_create("victim", MFD_ALLOW_SEALING);
  ::fcntl(memory, F_ADD_SEALS, F_SEAL_GROW);
  tell("memfd", memory);
  tell("namespace", ::open("/proc/self/ns/uts", O_RDONLY));
}

}  // namespace

int main() {
  std::printf("READY");
  open_pipe();
  open_sockets();
  open_tcp();
  open_terminal();
  open_anonymous();
  open_files();
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  std::printf(" child=%d\n", child);
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
  }
  ::kill(child, SIGKILL);
}
