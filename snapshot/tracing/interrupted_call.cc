// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/interrupted_call.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "snapshot/tracing/process_memory.h"

namespace icecore::snapshot {
namespace {

constexpr long kErestartNoHand = 514;
// The x86-64 ABI lets leaf functions use this much below rsp.
constexpr std::uint64_t kRedZone = 128;

std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

unsigned long long& argument(user_regs_struct& registers, int index) {
  const std::array<unsigned long long*, 6> places{&registers.rdi, &registers.rsi, &registers.rdx,
                                                  &registers.r10, &registers.r8,  &registers.r9};
  return *places.at(static_cast<std::size_t>(index));
}

unsigned long long argument(const user_regs_struct& registers, int index) {
  return argument(const_cast<user_regs_struct&>(registers), index);
}

struct TimeoutRow {
  long number;
  int argument;
  bool milliseconds;
};
// Relative timeouts of calls that answer -EINTR. (accept, recv and send with SO_RCVTIMEO or
// SO_SNDTIMEO have theirs in the socket: no argument to change, so they begin anew;
// docs/transparency.md.)
constexpr std::array kTimeouts{
    TimeoutRow{SYS_epoll_wait, 3, true},       TimeoutRow{SYS_epoll_pwait, 3, true},
    TimeoutRow{SYS_epoll_pwait2, 3, false},    TimeoutRow{SYS_semtimedop, 3, false},
    TimeoutRow{SYS_rt_sigtimedwait, 2, false}, TimeoutRow{SYS_io_getevents, 4, false},
    TimeoutRow{SYS_io_pgetevents, 4, false},
};

/// The open flags of a descriptor, and what it is.
struct DescriptorFacts {
  bool blocking_stream = false;
};

DescriptorFacts look_at(int pid, std::uint64_t fd) {
  const std::string base = "/proc/" + std::to_string(pid);
  struct stat status {};
  if (::stat((base + "/fd/" + std::to_string(fd)).c_str(), &status) != 0) return {};
  const bool stream =
      S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || S_ISCHR(status.st_mode);
  if (!stream) return {};
  std::FILE* file = std::fopen((base + "/fdinfo/" + std::to_string(fd)).c_str(), "re");
  if (file == nullptr) return {};
  unsigned flags = 0;
  std::array<char, 128> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), file) != nullptr) {
    if (std::sscanf(line.data(), "flags: %o", &flags) == 1) break;
  }
  std::fclose(file);
  return {(flags & static_cast<unsigned>(O_NONBLOCK)) == 0};
}

/// The io vectors of a writev or sendmsg, as the program has them.
std::vector<iovec> read_vectors(int pid, std::uint64_t address, std::uint64_t count) {
  std::vector<iovec> vectors(std::min<std::uint64_t>(count, IOV_MAX));
  if (!read_process(pid, address, std::as_writable_bytes(std::span(vectors)))) return {};
  return vectors;
}

std::uint64_t total(const std::vector<iovec>& vectors) {
  std::uint64_t size = 0;
  for (const auto& vector : vectors) size += vector.iov_len;
  return size;
}

/// How much the call asked for; 0 for calls that cannot be partly done.
std::uint64_t asked_for(int pid, const user_regs_struct& registers) {
  const auto flag = [](std::uint64_t flags, int bit) {
    return (flags & static_cast<std::uint64_t>(bit)) != 0;
  };
  switch (static_cast<long>(registers.orig_rax)) {
    case SYS_write:
      return registers.rdx;
    case SYS_sendto:
      return flag(registers.r10, MSG_DONTWAIT) ? 0 : registers.rdx;
    case SYS_recvfrom:
      return flag(registers.r10, MSG_WAITALL) && !flag(registers.r10, MSG_PEEK) ? registers.rdx : 0;
    case SYS_sendfile:
      return registers.r10;
    case SYS_writev:
      return total(read_vectors(pid, registers.rsi, registers.rdx));
    default:
      return 0;
  }
}

}  // namespace

bool is_interruption(long result) {
  constexpr long kFirstRestart = 512;  // ERESTARTSYS
  constexpr long kLastRestart = 516;   // ERESTART_RESTARTBLOCK
  return result == -EINTR || (result <= -kFirstRestart && result >= -kLastRestart);
}

std::optional<InterruptedCall> InterruptedCall::find(int pid, const user_regs_struct& registers,
                                                     std::optional<std::int64_t> slept_since_ns) {
  if (static_cast<long>(registers.orig_rax) < 0) return std::nullopt;
  const long result = static_cast<long>(registers.rax);
  if (result == -EINTR) return find_timeout(pid, registers, slept_since_ns);
  if (result > 0) return find_transfer(pid, registers);
  return std::nullopt;
}

std::optional<InterruptedCall> InterruptedCall::find_timeout(
    int pid, const user_regs_struct& registers, std::optional<std::int64_t> slept_since_ns) {
  const auto row = std::find_if(kTimeouts.begin(), kTimeouts.end(), [&](const TimeoutRow& each) {
    return each.number == static_cast<long>(registers.orig_rax);
  });
  if (row == kTimeouts.end()) return std::nullopt;
  std::int64_t timeout = 0;
  const std::uint64_t value = argument(registers, row->argument);
  if (row->milliseconds) {
    const int milliseconds = static_cast<int>(value);
    if (milliseconds < 0) return std::nullopt;  // for ever
    timeout = std::int64_t{milliseconds} * 1'000'000;
  } else {
    timespec time{};
    if (value == 0 || !read_process(pid, value, std::as_writable_bytes(std::span(&time, 1)))) {
      return std::nullopt;
    }
    timeout = nanoseconds(time);
  }
  InterruptedCall call(Kind::Timeout, registers);
  call.form_ = row->milliseconds ? TimeoutForm::Milliseconds : TimeoutForm::Timespec;
  call.argument_ = row->argument;
  call.deadline_ns_ = slept_since_ns.value_or(monotonic_ns()) + timeout;
  return call;
}

std::optional<InterruptedCall> InterruptedCall::find_transfer(int pid,
                                                              const user_regs_struct& registers) {
  const std::uint64_t wanted = asked_for(pid, registers);
  if (registers.rax >= wanted || !look_at(pid, registers.rdi).blocking_stream) return std::nullopt;
  InterruptedCall call(Kind::Transfer, registers);
  call.transferred_ = registers.rax;
  return call;
}

bool InterruptedCall::has_timeout(long number) {
  return std::any_of(kTimeouts.begin(), kTimeouts.end(),
                     [number](const TimeoutRow& row) { return row.number == number; });
}

void InterruptedCall::interrupted_again(const user_regs_struct& registers) {
  const long result = static_cast<long>(registers.rax);
  if (kind_ == Kind::Transfer && result > 0) transferred_ += static_cast<std::uint64_t>(result);
}

user_regs_struct InterruptedCall::shown(user_regs_struct registers) const {
  for (int i = 0; i < 6; ++i) argument(registers, i) = argument(original_, i);
  registers.rax = static_cast<unsigned long long>(-kErestartNoHand);
  return registers;
}

std::optional<user_regs_struct> InterruptedCall::going_on(int pid) const {
  return kind_ == Kind::Timeout ? with_time_left(pid) : with_rest(pid);
}

std::optional<user_regs_struct> InterruptedCall::with_time_left(int pid) const {
  user_regs_struct registers = shown(original_);
  const std::int64_t left = std::max<std::int64_t>(deadline_ns_ - monotonic_ns(), 0);
  if (form_ == TimeoutForm::Milliseconds) {
    // Rounded up: late by a millisecond rather than early.
    const std::int64_t milliseconds = std::min<std::int64_t>((left + 999'999) / 1'000'000, INT_MAX);
    argument(registers, argument_) = static_cast<unsigned long long>(milliseconds);
    return registers;
  }
  const timespec time{left / 1'000'000'000, left % 1'000'000'000};
  const std::uint64_t place = (registers.rsp - kRedZone - sizeof time) & ~15ULL;
  if (!write_process(pid, place, std::as_bytes(std::span(&time, 1)))) return std::nullopt;
  argument(registers, argument_) = place;
  return registers;
}

std::optional<user_regs_struct> InterruptedCall::with_rest(int pid) const {
  user_regs_struct registers = shown(original_);
  switch (static_cast<long>(registers.orig_rax)) {
    case SYS_sendfile:
      registers.r10 -= transferred_;  // the kernel has moved the offset on
      return registers;
    case SYS_writev: {
      auto vectors = read_vectors(pid, registers.rsi, registers.rdx);
      std::uint64_t done = transferred_;
      std::size_t first = 0;
      while (first < vectors.size() && vectors[first].iov_len <= done) {
        done -= vectors[first++].iov_len;
      }
      if (first == vectors.size()) return std::nullopt;
      vectors.erase(vectors.begin(), vectors.begin() + static_cast<std::ptrdiff_t>(first));
      vectors[0].iov_base = static_cast<char*>(vectors[0].iov_base) + done;
      vectors[0].iov_len -= done;
      const auto bytes = std::as_bytes(std::span(vectors));
      const std::uint64_t place = (registers.rsp - kRedZone - bytes.size()) & ~15ULL;
      if (!write_process(pid, place, bytes)) return std::nullopt;
      registers.rsi = place;
      registers.rdx = vectors.size();
      return registers;
    }
    default:
      registers.rsi += transferred_;
      registers.rdx -= transferred_;
      return registers;
  }
}

user_regs_struct InterruptedCall::ended(user_regs_struct registers) const {
  const unsigned long long result = registers.rax;
  registers = shown(registers);
  registers.rax = result;
  if (kind_ == Kind::Transfer) {
    // An error after a part: the part is the result, as the kernel itself does it.
    const bool failed = static_cast<long>(result) < 0;
    registers.rax = transferred_ + (failed ? 0 : result);
  }
  return registers;
}

user_regs_struct InterruptedCall::interrupted_by_handler(user_regs_struct registers) const {
  return ended(registers);
}

user_regs_struct InterruptedCall::given_up() const {
  user_regs_struct registers = shown(original_);
  if (kind_ == Kind::Transfer) registers.rax = transferred_;
  return registers;
}

}  // namespace icecore::snapshot
