// SPDX-License-Identifier: Apache-2.0
// Blocks in one call of those that programs seldom block in.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <termios.h>

#include <cstdlib>
#include <string>

#include "blocked_case.h"

namespace {

using namespace blocked;

constexpr std::size_t kMuch = 1U << 20U;
int ends[2];
int other = -1;
char buffer[kMuch];
std::string path;
iovec parts[3]{{buffer, 1000}, {buffer, kMuch - 2000}, {buffer, 1000}};
timespec limit = after(kTimeoutMs);

void make_pipe() {
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
}
void make_pair() {
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
}
void feed() {
  if (::write(ends[1], "byte", 4) != 4) std::abort();
}
/// Takes all that comes; what is written goes into ends[1].
void drain() {
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  for (;;) {
    pollfd waiting{ends[0], POLLIN, 0};
    if (::poll(&waiting, 1, 500) <= 0) return;
    static char taken[65536];
    if (::read(ends[0], taken, sizeof taken) <= 0) return;
  }
}
int file_of_data() {
  const int file = ::memfd_create("data", MFD_CLOEXEC);
  if (::write(file, buffer, kMuch) != kMuch) std::abort();
  ::lseek(file, 0, SEEK_SET);
  return file;
}
std::string temporary(const char* name) {
  return "/tmp/icecore-blocked-" + std::to_string(::getpid()) + "-" + name;
}
pid_t child_to_await() {
  make_pipe();
  return child_waiting_for(ends[0]);
}

const std::vector<Case> kTransfers{
    {"pwritev2_pipe_partial", End::Wake,
     [] {
       make_pipe();
       ready();
       return raw(SYS_pwritev2, ends[1], address(parts), 3, -1, -1, 0);
     },
     drain},
    {"writev_unix_partial", End::Wake,
     [] { return make_pair(), ready(), raw(SYS_writev, ends[1], address(parts), 3); }, drain},
    {"sendfile_unix_partial", End::Wake,
     [] {
       make_pair();
       const int file = file_of_data();
       ready();
       return raw(SYS_sendfile, ends[1], file, 0, kMuch);
     },
     drain},
    {"sendmmsg_partial", End::Wake,
     [] {
       make_pair();
       static mmsghdr messages[30];
       for (auto& message : messages) message.msg_hdr.msg_iov = &parts[1];
       for (auto& message : messages) message.msg_hdr.msg_iovlen = 1;
       parts[1].iov_len = 32768;
       ready();
       return raw(SYS_sendmmsg, ends[1], address(messages), 30, 0);
     },
     drain},
    {"splice_to_full_socket", End::Wake,
     [] {
       make_pair();
       static int pipe[2];
       if (::pipe2(pipe, O_CLOEXEC) != 0) std::abort();
       if (::write(pipe[1], buffer, 8192) != 8192) std::abort();
       while (::send(ends[1], buffer, 4096, MSG_DONTWAIT) > 0) {
       }
       ready();
       return raw(SYS_splice, pipe[0], 0, ends[1], 0, 8192, 0);
     },
     drain},
    {"write_tty_partial", End::Wake,
     [] {
       ends[0] = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
       ::grantpt(ends[0]);
       ::unlockpt(ends[0]);
       ends[1] = ::open(::ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
       termios settings{};
       ::tcgetattr(ends[1], &settings);
       ::cfmakeraw(&settings);
       ::tcsetattr(ends[1], TCSANOW, &settings);
       ready();
       return raw(SYS_write, ends[1], address(buffer), 200'000);
     },
     drain},
    {"write_eventfd_full", End::Wake,
     [] {
       other = ::eventfd(0, EFD_CLOEXEC);
       static std::uint64_t most = 0xfffffffffffffffe;
       if (::write(other, &most, sizeof most) != sizeof most) std::abort();
       ready();
       return raw(SYS_write, other, address(&most), sizeof most);
     },
     [] {
       eventfd_t value;
       ::eventfd_read(other, &value);
     }},
    {"preadv2_rcvtimeo", End::Timeout,
     [] {
       make_pair();
       const timeval time{kTimeoutMs / 1000, 0};
       ::setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
       ready();
       return raw(SYS_preadv2, ends[0], address(parts), 1, -1, -1, 0);
     }},
    {"recvmmsg_timeout_woken", End::Wake,
     [] {
       make_pair();
       static mmsghdr message{};
       message.msg_hdr.msg_iov = parts;
       message.msg_hdr.msg_iovlen = 1;
       static timespec minute{60, 0};
       ready();
       return raw(SYS_recvmmsg, ends[0], address(&message), 1, 0, address(&minute));
     },
     feed},
    {"mq_timedsend", End::Timeout,
     [] {
       const std::string name = "/icecore-" + std::to_string(::getpid());
       mq_attr attributes{};
       attributes.mq_maxmsg = 1;
       attributes.mq_msgsize = 8;
       const mqd_t queue = ::mq_open(name.c_str(), O_RDWR | O_CREAT, 0600, &attributes);
       ::mq_unlink(name.c_str());
       ::mq_send(queue, "m", 1, 0);
       ready();
       static timespec moment = at(CLOCK_REALTIME, kTimeoutMs);
       return raw(SYS_mq_timedsend, queue, address(buffer), 8, 0, address(&moment));
     }},
};

const std::vector<Case> kWaits{
    {"clock_nanosleep_realtime_abs", End::Timeout,
     [] {
       ready();
       static timespec moment = at(CLOCK_REALTIME, kTimeoutMs);
       return raw(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, address(&moment), 0);
     }},
    {"waitid_pidfd", End::Wake,
     [] {
       static siginfo_t info;
       const int process = static_cast<int>(::syscall(SYS_pidfd_open, child_to_await(), 0));
       ready();
       return raw(SYS_waitid, P_PIDFD, process, address(&info), WEXITED);
     },
     feed},
    {"wait4_tracee", End::Wake,
     [] {
       // It is traced by its parent, and waited for as by a debugger.
       make_pipe();
       const pid_t child =
           child_waiting_for(ends[0], [] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); });
       ready();
       return raw(SYS_wait4, child, 0, __WALL) == child ? 0L : -1L;
     },
     feed},
    {"clone_vfork", End::Wake,
     [] {
       make_pipe();
       static char stack[65536];
       ready();
       const int child = ::clone(
           [](void*) {
             while (::read(ends[0], buffer, 1) < 0) {
             }
             return 0;
           },
           stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
       return child > 0 ? 0L : -1L;
     },
     feed},
    {"open_leased", End::Wake,
     [] {
       path = temporary("leased");
       ::close(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
       static int told[2];
       make_pipe();
       if (::pipe2(told, O_CLOEXEC) != 0) std::abort();
       child_waiting_for(ends[0], [] {
         ::signal(SIGIO, SIG_IGN);
         const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
         ::fcntl(fd, F_SETLEASE, F_WRLCK);
         if (::write(told[1], "x", 1) != 1) std::abort();
       });
       if (::read(told[0], buffer, 1) != 1) std::abort();
       ready();
       const long fd = raw(SYS_openat, AT_FDCWD, address(path.c_str()), O_RDONLY | O_CLOEXEC);
       ::unlink(path.c_str());
       return fd >= 0 ? 0L : fd;
     },
     feed},
    {"read_fanotify", End::Wake,
     [] {
       path = temporary("watched");
       ::close(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
       const int fd = ::fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC, O_RDONLY);
       if (fd < 0) std::abort();
       if (::fanotify_mark(fd, FAN_MARK_ADD, FAN_MODIFY, AT_FDCWD, path.c_str()) != 0) std::abort();
       ready();
       return raw(SYS_read, fd, address(buffer), 4096) > 0 ? 0L : -1L;
     },
     [] {
       const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
       if (::write(fd, "x", 1) != 1) std::abort();
       ::close(fd);
       ::unlink(path.c_str());
     }},
    {"fault_userfaultfd", End::Wake,
     [] {
       other = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
       uffdio_api api{UFFD_API, 0, 0};
       ::ioctl(other, UFFDIO_API, &api);
       void* page =
           ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       uffdio_register range{
           {reinterpret_cast<__u64>(page), 4096}, UFFDIO_REGISTER_MODE_MISSING, 0};
       ::ioctl(other, UFFDIO_REGISTER, &range);
       path.assign(reinterpret_cast<const char*>(&page), sizeof page);
       ready();
       return static_cast<long>(*static_cast<volatile char*>(page));
     },
     [] {
       uffdio_zeropage zero{};
       std::memcpy(&zero.range.start, path.data(), sizeof zero.range.start);
       zero.range.len = 4096;
       ::ioctl(other, UFFDIO_ZEROPAGE, &zero);
     }},
};

}  // namespace

int main(int argc, char** argv) {
  auto cases = kTransfers;
  cases.insert(cases.end(), kWaits.begin(), kWaits.end());
  return run(argc, argv, cases);
}
