// SPDX-License-Identifier: Apache-2.0
// Blocks in one call that waits for events, time, signals or other processes.
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>

#include <cstdlib>

#include "blocked_case.h"

namespace {

using namespace blocked;

int ends[2];
char buffer[64];
sigset_t usr1;
timespec limit = after(kTimeoutMs);
pollfd polled{};
fd_set watched;
epoll_event event{};
siginfo_t info;
constexpr long kMaskSize = 8;

void make_pipe() {
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  polled = {ends[0], POLLIN, 0};
  FD_ZERO(&watched);
  FD_SET(ends[0], &watched);
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
}
void feed() {
  if (::write(ends[1], "x", 1) != 1) std::abort();
}
int make_epoll() {
  make_pipe();
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  event.events = EPOLLIN;
  ::epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event);
  ready();
  return fd;
}
void signal_main_thread() { ::syscall(SYS_tgkill, ::getpid(), ::getpid(), SIGUSR1); }
void block_usr1() {
  make_pipe();
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  ready();
}
struct MaskArgument {
  sigset_t* mask;
  std::size_t size;
} mask_argument{&usr1, kMaskSize};

aio_context_t aio_with_poll() {
  make_pipe();
  aio_context_t context = 0;
  if (::syscall(SYS_io_setup, 4, &context) != 0) std::abort();
  static iocb request{};
  static iocb* requests[] = {&request};
  request.aio_lio_opcode = IOCB_CMD_POLL;
  request.aio_fildes = static_cast<unsigned>(ends[0]);
  request.aio_buf = POLLIN;
  if (::syscall(SYS_io_submit, context, 1, requests) != 1) std::abort();
  ready();
  return context;
}
io_event aio_event;

int make_ring() {
  make_pipe();
  static io_uring_params parameters{};
  const int fd = static_cast<int>(::syscall(SYS_io_uring_setup, 4, &parameters));
  if (fd < 0) std::abort();
  return fd;
}
long await_ring(int fd, unsigned flags, void* argument, std::size_t size) {
  ready();
  return raw(SYS_io_uring_enter, fd, 0, 1, IORING_ENTER_GETEVENTS | flags, address(argument),
             static_cast<long>(size));
}
io_uring_getevents_arg ring_argument{};

bool time_is_over() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1'000'000 >=
         kTimeoutMs;
}

pid_t child_to_await() {
  make_pipe();
  const pid_t child = child_waiting_for(ends[0]);
  ready();
  return child;
}

const std::vector<Case> kPolling{
    {"poll", End::Wake, [] { return make_pipe(), ready(), raw(SYS_poll, address(&polled), 1, -1); },
     feed},
    {"poll_timeout", End::Timeout,
     [] { return make_pipe(), ready(), raw(SYS_poll, address(&polled), 1, kTimeoutMs); }},
    {"poll_pidfd", End::Wake,
     [] {
       static pollfd process;
       process = {static_cast<int>(::syscall(SYS_pidfd_open, child_to_await(), 0)), POLLIN, 0};
       return raw(SYS_poll, address(&process), 1, -1);
     },
     feed},
    {"ppoll", End::Wake,
     [] { return make_pipe(), ready(), raw(SYS_ppoll, address(&polled), 1, 0, 0, kMaskSize); },
     feed},
    {"ppoll_timeout", End::Timeout,
     [] { return make_pipe(), ready(), raw(SYS_ppoll, address(&polled), 1, address(&limit)); }},
    {"ppoll_mask_timeout", End::Timeout,
     [] {
       make_pipe();
       ready();
       return raw(SYS_ppoll, address(&polled), 1, address(&limit), address(&usr1), kMaskSize);
     }},
    {"ppoll_unblocking", End::Wake,
     [] {
       block_usr1();
       static sigset_t none;
       return raw(SYS_ppoll, address(&polled), 1, 0, address(&none), kMaskSize);
     },
     signal_main_thread},
    {"select", End::Wake,
     [] { return make_pipe(), ready(), raw(SYS_select, ends[0] + 1, address(&watched)); }, feed},
    {"select_timeout", End::Timeout,
     [] {
       make_pipe();
       static timeval time{kTimeoutMs / 1000, kTimeoutMs % 1000 * 1000};
       ready();
       return raw(SYS_select, ends[0] + 1, address(&watched), 0, 0, address(&time));
     }},
    // The kernel can write to neither what is left of it.
    {"select_constant_timeout", End::Timeout,
     [] {
       make_pipe();
       static const timeval time{kTimeoutMs / 1000, kTimeoutMs % 1000 * 1000};
       ready();
       return raw(SYS_select, ends[0] + 1, address(&watched), 0, 0, address(&time));
     }},
    {"ppoll_constant_timeout", End::Timeout,
     [] {
       make_pipe();
       static const timespec time{kTimeoutMs / 1000, kTimeoutMs % 1000 * 1000000L};
       ready();
       return raw(SYS_ppoll, address(&polled), 1, address(&time));
     }},
    {"pselect6_mask_timeout", End::Timeout,
     [] {
       make_pipe();
       ready();
       return raw(SYS_pselect6, ends[0] + 1, address(&watched), 0, 0, address(&limit),
                  address(&mask_argument));
     }},
    {"epoll_wait", End::Wake,
     [] { return raw(SYS_epoll_wait, make_epoll(), address(&event), 1, -1); }, feed},
    {"epoll_wait_timeout", End::Timeout,
     [] { return raw(SYS_epoll_wait, make_epoll(), address(&event), 1, kTimeoutMs); }},
    {"epoll_wait_timeout_woken", End::Wake,
     [] { return raw(SYS_epoll_wait, make_epoll(), address(&event), 1, 60'000); }, feed},
    {"epoll_pwait_mask_timeout", End::Timeout,
     [] {
       const int fd = make_epoll();
       return raw(SYS_epoll_pwait, fd, address(&event), 1, kTimeoutMs, address(&usr1), kMaskSize);
     }},
    {"epoll_pwait2_timeout", End::Timeout,
     [] { return raw(SYS_epoll_pwait2, make_epoll(), address(&event), 1, address(&limit)); }},
    {"io_getevents", End::Wake,
     [] {
       return raw(SYS_io_getevents, static_cast<long>(aio_with_poll()), 1, 1, address(&aio_event));
     },
     feed},
    {"io_getevents_timeout", End::Timeout,
     [] {
       return raw(SYS_io_getevents, static_cast<long>(aio_with_poll()), 1, 1, address(&aio_event),
                  address(&limit));
     }},
    {"io_pgetevents_timeout", End::Timeout,
     [] {
       return raw(SYS_io_pgetevents, static_cast<long>(aio_with_poll()), 1, 1, address(&aio_event),
                  address(&limit), address(&mask_argument));
     }},
    {"io_uring_enter", End::Wake,
     [] {
       const int fd = make_ring();
       ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
       static sigset_t none;
       return await_ring(fd, 0, &none, kMaskSize);
     },
     signal_main_thread},
    {"io_uring_enter_timeout", End::Timeout,
     [] {
       ring_argument.ts = reinterpret_cast<__u64>(&limit);
       return await_ring(make_ring(), IORING_ENTER_EXT_ARG, &ring_argument, sizeof ring_argument);
     }},
};

const std::vector<Case> kTime{
    {"nanosleep", End::Timeout,
     [] { return make_pipe(), ready(), raw(SYS_nanosleep, address(&limit), 0); }},
    {"clock_nanosleep", End::Timeout,
     [] { return ready(), raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, address(&limit), 0); }},
    {"clock_nanosleep_abs", End::Timeout,
     [] {
       ready();
       static timespec moment = at(CLOCK_MONOTONIC, kTimeoutMs);
       return raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, address(&moment), 0);
     }},
    {"read_random", End::Timeout,
     [] {
       const int fd = ::open("/dev/urandom", O_RDONLY | O_CLOEXEC);
       ready();
       static char much[1 << 16];
       while (!time_is_over()) {
         if (raw(SYS_read, fd, address(much), sizeof much) != sizeof much) return -1L;
       }
       return 0L;
     }},
    {"fallocate_memory", End::Timeout,
     [] {
       const int fd = ::memfd_create("memory", MFD_CLOEXEC);
       ready();
       while (!time_is_over()) {
         const long result = raw(SYS_fallocate, fd, 0, 0, 4 << 20);
         if (result != 0) return result;
         if (::ftruncate(fd, 0) != 0) return -1L;
       }
       return 0L;
     }},
    {"getrandom", End::Timeout,
     [] {
       // Does not block once the machine is up, but looks for signals after every page.
       ready();
       static char much[1 << 16];
       while (!time_is_over()) {
         if (raw(SYS_getrandom, address(much), sizeof much, 0) != sizeof much) return -1L;
       }
       return 0L;
     }},
};

const std::vector<Case> kSignalsAndChildren{
    {"pause", End::Wake, [] { return ready(), raw(SYS_pause); }, signal_main_thread},
    {"sigsuspend", End::Wake,
     [] {
       block_usr1();
       static sigset_t none;
       return raw(SYS_rt_sigsuspend, address(&none), kMaskSize);
     },
     signal_main_thread},
    {"sigwaitinfo", End::Wake,
     [] {
       block_usr1();
       return raw(SYS_rt_sigtimedwait, address(&usr1), address(&info), 0, kMaskSize);
     },
     signal_main_thread},
    {"sigtimedwait", End::Timeout,
     [] {
       block_usr1();
       return raw(SYS_rt_sigtimedwait, address(&usr1), address(&info), address(&limit), kMaskSize);
     }},
    {"wait4", End::Wake,
     [] {
       const pid_t child = child_to_await();
       return raw(SYS_wait4, child, 0, WUNTRACED | WCONTINUED) == child ? 0L : -1L;
     },
     feed},
    {"waitid", End::Wake,
     [] {
       const pid_t child = child_to_await();
       return raw(SYS_waitid, P_PID, child, address(&info), WEXITED | WSTOPPED | WCONTINUED);
     },
     feed},
    {"vfork", End::Wake,
     [] {
       make_pipe();
       ready();
       const pid_t child = ::vfork();
       if (child == 0) {
         while (::read(ends[0], buffer, 1) < 0) {
         }
         ::_exit(0);
       }
       return child > 0 ? 0L : -1L;
     },
     feed},
};

}  // namespace

int main(int argc, char** argv) {
  auto cases = kPolling;
  cases.insert(cases.end(), kTime.begin(), kTime.end());
  cases.insert(cases.end(), kSignalsAndChildren.begin(), kSignalsAndChildren.end());
  return run(argc, argv, cases);
}
