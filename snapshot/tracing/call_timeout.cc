// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/call_timeout.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

#include "base/unique_fd.h"
#include "snapshot/tracing/process_memory.h"

namespace icecore::snapshot {
namespace {

using Form = CallTimeout::Form;

struct Row {
  long number;
  int argument;  ///< or the socket option, for SocketOption
  Form form;
};
// Calls that answer -EINTR to any interruption while they have a timeout.
constexpr std::array kRows{
    Row{SYS_epoll_wait, 3, Form::Milliseconds},
    Row{SYS_epoll_pwait, 3, Form::Milliseconds},
    Row{SYS_epoll_pwait2, 3, Form::Timespec},
    Row{SYS_semtimedop, 3, Form::Timespec},
    Row{SYS_rt_sigtimedwait, 2, Form::Timespec},
    // These only when the kernel cannot write what is left of it (time_left.h).
    Row{SYS_ppoll, 2, Form::Timespec},
    Row{SYS_pselect6, 4, Form::Timespec},
    Row{SYS_select, 4, Form::Timeval},
    Row{SYS_io_getevents, 4, Form::Timespec},
    Row{SYS_io_pgetevents, 4, Form::Timespec},
    Row{SYS_io_uring_enter, 4, Form::RingArgument},
    Row{SYS_accept, SO_RCVTIMEO, Form::SocketOption},
    Row{SYS_accept4, SO_RCVTIMEO, Form::SocketOption},
    Row{SYS_read, SO_RCVTIMEO, Form::SocketOption},
    Row{SYS_readv, SO_RCVTIMEO, Form::SocketOption},
    Row{SYS_preadv2, SO_RCVTIMEO, Form::SocketOption},
    Row{SYS_recvfrom, SO_RCVTIMEO, Form::SocketOption},
    Row{SYS_recvmsg, SO_RCVTIMEO, Form::SocketOption},
    Row{SYS_recvmmsg, SO_RCVTIMEO, Form::SocketOption},
    Row{SYS_connect, SO_SNDTIMEO, Form::SocketOption},
    Row{SYS_sendmmsg, SO_SNDTIMEO, Form::SocketOption},
    Row{SYS_sendmsg, SO_SNDTIMEO, Form::SocketOption},
    Row{SYS_sendto, SO_SNDTIMEO, Form::SocketOption},
    Row{SYS_write, SO_SNDTIMEO, Form::SocketOption},
    Row{SYS_writev, SO_SNDTIMEO, Form::SocketOption},
    Row{SYS_pwritev2, SO_SNDTIMEO, Form::SocketOption},
};

const Row* find_row(long number) {
  const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                 [number](const Row& each) { return each.number == number; });
  return row == kRows.end() ? nullptr : row;
}

std::optional<std::int64_t> read_timespec(int pid, std::uint64_t address) {
  timespec time{};
  if (address == 0 || !read_process(pid, address, std::as_writable_bytes(std::span(&time, 1)))) {
    return std::nullopt;
  }
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::optional<std::int64_t> read_timeval(int pid, std::uint64_t address) {
  timeval time{};
  if (address == 0 || !read_process(pid, address, std::as_writable_bytes(std::span(&time, 1)))) {
    return std::nullopt;
  }
  return time.tv_sec * 1'000'000'000 + time.tv_usec * 1000;
}

std::optional<std::int64_t> read_ring_argument(int pid, const user_regs_struct& registers,
                                               int index) {
  // Since Linux 6.12 there are absolute ones, and registered ones that we cannot see.
  constexpr unsigned long long kAbsoluteTimer = 1U << 5U;
  constexpr unsigned long long kRegistered = 1U << 6U;
  if ((registers.r10 & IORING_ENTER_EXT_ARG) == 0 ||
      (registers.r10 & (kAbsoluteTimer | kRegistered)) != 0) {
    return std::nullopt;
  }
  io_uring_getevents_arg argument{};
  if (!read_process(pid, call_argument(registers, index),
                    std::as_writable_bytes(std::span(&argument, 1)))) {
    return std::nullopt;
  }
  return read_timespec(pid, argument.ts);
}

/// What an inet or a unix connect() answers when its time is over; the others say EAGAIN.
std::int64_t timed_out_connect(int socket) {
  int domain = AF_UNIX;
  socklen_t size = sizeof domain;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return domain == AF_UNIX ? -EAGAIN : -EINPROGRESS;
}

/// A timeout of 0 means for ever.
std::optional<CallTimeout> read_socket_option(int pid, const user_regs_struct& registers,
                                              int option) {
  const std::uint64_t number = registers.rdi;
  const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(number);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const UniqueFd socket(
      static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), static_cast<int>(number), 0)));
  timeval time{};
  socklen_t size = sizeof time;
  if (!socket.valid() || ::getsockopt(socket.get(), SOL_SOCKET, option, &time, &size) != 0) {
    return std::nullopt;
  }
  const std::int64_t nanoseconds = time.tv_sec * 1'000'000'000 + time.tv_usec * 1000;
  if (nanoseconds == 0) return std::nullopt;
  const bool connecting = registers.orig_rax == SYS_connect;
  return CallTimeout{Form::SocketOption, 0, nanoseconds,
                     connecting ? timed_out_connect(socket.get()) : -EAGAIN};
}

}  // namespace

unsigned long long& call_argument(user_regs_struct& registers, int index) {
  const std::array<unsigned long long*, 6> places{&registers.rdi, &registers.rsi, &registers.rdx,
                                                  &registers.r10, &registers.r8,  &registers.r9};
  return *places.at(static_cast<std::size_t>(index));
}

unsigned long long call_argument(const user_regs_struct& registers, int index) {
  return call_argument(const_cast<user_regs_struct&>(registers), index);
}

std::optional<CallTimeout> CallTimeout::find(int pid, const user_regs_struct& registers) {
  const Row* row = find_row(static_cast<long>(registers.orig_rax));
  if (row == nullptr) return std::nullopt;
  std::optional<std::int64_t> time;
  switch (row->form) {
    case Form::Milliseconds: {
      const int milliseconds = static_cast<int>(call_argument(registers, row->argument));
      if (milliseconds >= 0) time = std::int64_t{milliseconds} * 1'000'000;
      break;
    }
    case Form::Timespec:
      time = read_timespec(pid, call_argument(registers, row->argument));
      break;
    case Form::Timeval:
      time = read_timeval(pid, call_argument(registers, row->argument));
      break;
    case Form::RingArgument:
      time = read_ring_argument(pid, registers, row->argument);
      break;
    case Form::SocketOption:
      return read_socket_option(pid, registers, row->argument);
  }
  if (!time) return std::nullopt;
  return CallTimeout{row->form, row->argument, *time, 0};
}

std::optional<CallTimeout> CallTimeout::find_of_sleep(int pid, const user_regs_struct& registers) {
  const auto of_timespec = [&](int argument) -> std::optional<CallTimeout> {
    const auto time = read_timespec(pid, call_argument(registers, argument));
    if (!time) return std::nullopt;
    return CallTimeout{Form::Timespec, argument, *time, 0};
  };
  switch (registers.orig_rax) {
    case SYS_nanosleep:
      return of_timespec(0);
    case SYS_clock_nanosleep: {
      const auto clock = static_cast<clockid_t>(registers.rdi);
      const bool of_cpu =
          clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
      return of_cpu ? std::nullopt : of_timespec(2);
    }
    case SYS_futex: {
      const bool relative = (registers.rsi & static_cast<unsigned>(FUTEX_CMD_MASK)) == FUTEX_WAIT;
      return relative ? of_timespec(3) : std::nullopt;
    }
    case SYS_poll:
      return CallTimeout{Form::Milliseconds, 2,
                         std::int64_t{static_cast<int>(registers.rdx)} * 1'000'000, 0};
    default:
      return std::nullopt;
  }
}

std::optional<CallTimeout> CallTimeout::find_asleep(int pid, int tid) {
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/syscall";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> text{};
  if (!fd.valid() || ::read(fd.get(), text.data(), text.size() - 1) <= 0) return std::nullopt;
  user_regs_struct registers{};
  long number = -1;
  if (std::sscanf(text.data(), "%ld %llx %llx %llx %llx %llx %llx", &number, &registers.rdi,
                  &registers.rsi, &registers.rdx, &registers.r10, &registers.r8,
                  &registers.r9) != 7) {
    return std::nullopt;
  }
  registers.orig_rax = static_cast<unsigned long long>(number);
  return find(pid, registers);
}

}  // namespace icecore::snapshot
