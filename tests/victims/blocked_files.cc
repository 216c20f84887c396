// SPDX-License-Identifier: Apache-2.0
// Blocks in one call on a file: pipes, terminals, special descriptors, queues, locks.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include <cstdlib>
#include <string>

#include "blocked_case.h"

namespace {

using namespace blocked;

constexpr std::size_t kMegabyte = 1U << 20U;
int ends[2];
int holder[2];
int other = -1;
char buffer[kMegabyte];
std::string path;

void make_pipe() {
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
}
void fill_pipe() {
  make_pipe();
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  while (::write(ends[1], buffer, 4096) > 0) {
  }
  ::fcntl(ends[1], F_SETFL, 0);
}
void feed() {
  if (::write(ends[1], "byte", 4) != 4) std::abort();
}
void drain() {
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  for (std::size_t got = 0; got < kMegabyte + 65536;) {
    pollfd waiting{ends[0], POLLIN, 0};
    if (::poll(&waiting, 1, 2000) <= 0) return;
    const ssize_t count = ::read(ends[0], buffer, 65536);
    if (count > 0) got += static_cast<std::size_t>(count);
  }
}
std::string temporary(const char* name) {
  return "/tmp/icecore-blocked-" + std::to_string(::getpid()) + "-" + name;
}
/// A file that another process holds locked by `lock` until it is woken.
int locked_elsewhere(const std::function<void(int)>& lock) {
  path = temporary("lock");
  int told[2];
  if (::pipe2(holder, O_CLOEXEC) != 0 || ::pipe2(told, O_CLOEXEC) != 0) std::abort();
  child_waiting_for(holder[0], [&] {
    lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (::write(told[1], "x", 1) != 1) std::abort();
  });
  char byte;
  if (::read(told[0], &byte, 1) != 1) std::abort();
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ::unlink(path.c_str());
  return fd;
}
void let_holder_go() {
  if (::write(holder[1], "x", 1) != 1) std::abort();
}
long lock_file(int command, short) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  const int fd = locked_elsewhere([&](int theirs) { ::fcntl(theirs, F_SETLK, &lock); });
  ready();
  return raw(SYS_fcntl, fd, command, address(&lock));
}
long read_from(int fd, std::size_t size = 8) {
  ready();
  return raw(SYS_read, fd, address(buffer), static_cast<long>(size));
}
mqd_t make_queue() {
  const std::string name = "/icecore-" + std::to_string(::getpid());
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  const mqd_t queue = ::mq_open(name.c_str(), O_RDWR | O_CREAT, 0600, &attributes);
  ::mq_unlink(name.c_str());
  if (queue < 0) std::abort();
  return other = queue;
}
void send_message() { ::mq_send(other, "m", 1, 0); }
struct Message {
  long type = 1;
  char text[8000];
} message;
void remove_queue_at_exit(int id) {
  // No other way to have it gone whatever ends us: a marked queue lives on while nobody waits.
  path = std::to_string(id);
}
int make_message_queue() {
  const int id = ::msgget(IPC_PRIVATE, 0600);
  if (id < 0) std::abort();
  remove_queue_at_exit(id);
  return other = id;
}
long done_with_queue(long result) {
  ::msgctl(other, IPC_RMID, nullptr);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Case> cases{
      {"read_pipe", End::Wake, [] { return make_pipe(), read_from(ends[0]); }, feed},
      {"readv_pipe", End::Wake,
       [] {
         make_pipe();
         static iovec part{buffer, 8};
         ready();
         return raw(SYS_readv, ends[0], address(&part), 1);
       },
       feed},
      {"read_tty", End::Wake,
       [] {
         ends[1] = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
         ::grantpt(ends[1]);
         ::unlockpt(ends[1]);
         return read_from(::open(::ptsname(ends[1]), O_RDWR | O_NOCTTY | O_CLOEXEC));
       },
       [] {
         if (::write(ends[1], "line\n", 5) != 5) std::abort();
       }},
      {"read_inotify", End::Wake,
       [] {
         path = temporary("watched");
         ::mkdir(path.c_str(), 0700);
         const int fd = ::inotify_init1(IN_CLOEXEC);
         ::inotify_add_watch(fd, path.c_str(), IN_DELETE_SELF);
         return read_from(fd, 4096);
       },
       [] { ::rmdir(path.c_str()); }},
      {"read_eventfd", End::Wake, [] { return read_from(ends[1] = ::eventfd(0, EFD_CLOEXEC)); },
       [] { ::eventfd_write(ends[1], 1); }},
      {"read_timerfd", End::Timeout,
       [] {
         const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
         const itimerspec timer{{0, 0}, after(kTimeoutMs)};
         ready();
         ::timerfd_settime(fd, 0, &timer, nullptr);
         return raw(SYS_read, fd, address(buffer), 8);
       }},
      {"read_signalfd", End::Wake,
       [] {
         sigset_t set;
         sigemptyset(&set);
         sigaddset(&set, SIGUSR1);
         ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
         return read_from(::signalfd(-1, &set, SFD_CLOEXEC), 4096);
       },
       [] { ::syscall(SYS_tgkill, ::getpid(), ::getpid(), SIGUSR1); }},
      {"read_userfaultfd", End::Wake,
       [] {
         const int fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
         uffdio_api api{UFFD_API, 0, 0};
         ::ioctl(fd, UFFDIO_API, &api);
         void* page =
             ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         uffdio_register range{
             {reinterpret_cast<__u64>(page), 4096}, UFFDIO_REGISTER_MODE_MISSING, 0};
         ::ioctl(fd, UFFDIO_REGISTER, &range);
         path.assign(reinterpret_cast<const char*>(&page), sizeof page);
         return read_from(fd, sizeof(uffd_msg));
       },
       [] {
         void* page = nullptr;
         std::memcpy(&page, path.data(), sizeof page);
         // Faults and stays there: nobody fills the page.
         std::thread([page] { *static_cast<volatile char*>(page) = 1; }).detach();
       }},
      {"write_pipe_full", End::Wake,
       [] {
         fill_pipe();
         ready();
         return raw(SYS_write, ends[1], address(buffer), 4096);
       },
       drain},
      {"write_pipe_partial", End::Wake,
       [] {
         make_pipe();
         ready();
         return raw(SYS_write, ends[1], address(buffer), kMegabyte);
       },
       drain},
      {"writev_pipe_partial", End::Wake,
       [] {
         make_pipe();
         static iovec parts[3]{{buffer, 1000}, {buffer, kMegabyte - 2000}, {buffer, 1000}};
         ready();
         return raw(SYS_writev, ends[1], address(parts), 3);
       },
       drain},
      {"sendfile_partial", End::Wake,
       [] {
         make_pipe();
         const int file = ::memfd_create("data", MFD_CLOEXEC);
         if (::write(file, buffer, kMegabyte) != kMegabyte) std::abort();
         ::lseek(file, 0, SEEK_SET);
         ready();
         return raw(SYS_sendfile, ends[1], file, 0, kMegabyte);
       },
       drain},
      {"vmsplice_full", End::Wake,
       [] {
         fill_pipe();
         static iovec part{buffer, 4096};
         ready();
         return raw(SYS_vmsplice, ends[1], address(&part), 1, 0);
       },
       drain},
      {"splice_pipe", End::Wake,
       [] {
         make_pipe();
         static int second[2];
         if (::pipe2(second, O_CLOEXEC) != 0) std::abort();
         ready();
         return raw(SYS_splice, ends[0], 0, second[1], 0, 4, 0);
       },
       feed},
      {"tee_pipe", End::Wake,
       [] {
         make_pipe();
         static int second[2];
         if (::pipe2(second, O_CLOEXEC) != 0) std::abort();
         ready();
         return raw(SYS_tee, ends[0], second[1], 4, 0);
       },
       feed},
      {"open_fifo", End::Wake,
       [] {
         path = temporary("fifo");
         ::mkfifo(path.c_str(), 0600);
         ready();
         return raw(SYS_openat, AT_FDCWD, address(path.c_str()), O_RDONLY | O_CLOEXEC) > 0 ? 0L
                                                                                           : -1L;
       },
       [] {
         other = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
         ::unlink(path.c_str());
       }},
      {"flock", End::Wake,
       [] {
         const int fd = locked_elsewhere([](int theirs) { ::flock(theirs, LOCK_EX); });
         ready();
         return raw(SYS_flock, fd, LOCK_EX);
       },
       let_holder_go},
      {"fcntl_setlkw", End::Wake, [] { return lock_file(F_SETLKW, F_WRLCK); }, let_holder_go},
      {"fcntl_ofd_setlkw", End::Wake, [] { return lock_file(F_OFD_SETLKW, F_WRLCK); },
       let_holder_go},
      {"mq_receive", End::Wake,
       [] {
         const int queue = make_queue();
         ready();
         return raw(SYS_mq_timedreceive, queue, address(buffer), 8);
       },
       send_message},
      {"mq_timedreceive", End::Timeout,
       [] {
         const int queue = make_queue();
         ready();
         static timespec limit = at(CLOCK_REALTIME, kTimeoutMs);
         return raw(SYS_mq_timedreceive, queue, address(buffer), 8, 0, address(&limit));
       }},
      {"mq_send", End::Wake,
       [] {
         const int queue = make_queue();
         send_message();
         ready();
         return raw(SYS_mq_timedsend, queue, address(buffer), 8);
       },
       [] { ::mq_receive(other, buffer, sizeof buffer, nullptr); }},
      {"msgrcv", End::Wake,
       [] {
         const int id = make_message_queue();
         ready();
         return done_with_queue(raw(SYS_msgrcv, id, address(&message), 8000));
       },
       [] { ::msgsnd(other, &message, 8, 0); }},
      {"msgsnd", End::Wake,
       [] {
         const int id = make_message_queue();
         while (::msgsnd(id, &message, 8000, IPC_NOWAIT) == 0) {
         }
         ready();
         return done_with_queue(raw(SYS_msgsnd, id, address(&message), 8000));
       },
       [] {
         static Message taken;
         ::msgrcv(other, &taken, 8000, 0, 0);
       }},
  };
  return run(argc, argv, cases);
}
