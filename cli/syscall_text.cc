// SPDX-License-Identifier: Apache-2.0
#include "cli/syscall_text.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "cli/quantities.h"

namespace icecore::cli {
namespace {

struct Row {
  std::int64_t number;
  std::string_view name;
};

constexpr Row kNames[] = {
#include "cli/syscall_rows.inc"
};

// How many of the six registers are arguments, for the calls that threads are found in. Of any
// other call all six are shown.
constexpr std::pair<std::string_view, std::size_t> kArguments[] = {
    {"accept", 3},
    {"accept4", 4},
    {"clock_nanosleep", 4},
    {"close", 1},
    {"connect", 3},
    {"epoll_pwait", 6},
    {"epoll_pwait2", 6},
    {"epoll_wait", 4},
    {"exit", 1},
    {"exit_group", 1},
    {"fcntl", 3},
    {"fdatasync", 1},
    {"flock", 2},
    {"fsync", 1},
    {"futex", 6},
    {"futex_waitv", 5},
    {"getrandom", 3},
    {"io_getevents", 5},
    {"io_uring_enter", 6},
    {"ioctl", 3},
    {"mq_timedreceive", 5},
    {"mq_timedsend", 5},
    {"msgrcv", 5},
    {"msgsnd", 4},
    {"nanosleep", 2},
    {"openat", 4},
    {"pause", 0},
    {"poll", 3},
    {"ppoll", 5},
    {"pread64", 4},
    {"preadv", 5},
    {"pselect6", 6},
    {"pwrite64", 4},
    {"pwritev", 5},
    {"read", 3},
    {"readv", 3},
    {"recvfrom", 6},
    {"recvmmsg", 5},
    {"recvmsg", 3},
    {"restart_syscall", 0},
    {"rt_sigsuspend", 2},
    {"rt_sigtimedwait", 4},
    {"sched_yield", 0},
    {"select", 5},
    {"semop", 3},
    {"semtimedop", 4},
    {"sendfile", 4},
    {"sendmsg", 3},
    {"sendto", 6},
    {"splice", 6},
    {"vfork", 0},
    {"wait4", 4},
    {"waitid", 5},
    {"write", 3},
    {"writev", 3},
};
constexpr std::size_t kMostArguments = 6;

std::string argument_text(std::uint64_t value) {
  constexpr std::int64_t kSmall = 1 << 16;
  const auto whole = static_cast<std::int64_t>(value);
  const std::int64_t low = static_cast<std::int32_t>(value);  // an int whose upper half is anything
  if (whole >= 0 && whole < kSmall) return std::to_string(whole);
  if (whole < 0 && whole > -kSmall) return std::to_string(whole);
  if (value >> 32U == 0 && low < 0 && low > -kSmall) return std::to_string(low);
  return hex_text(value);
}

}  // namespace

std::string syscall_name(std::int64_t number) {
  const auto* found = std::ranges::find(kNames, number, &Row::number);
  return found == std::end(kNames) ? "syscall " + std::to_string(number) : std::string(found->name);
}

std::string syscall_text(const model::SystemCall& call) {
  if (!call.inside()) return "in user code";
  const std::string name = syscall_name(call.number());
  const auto* row = std::ranges::find(kArguments, name, [](const auto& r) { return r.first; });
  const std::size_t count = row == std::end(kArguments) ? kMostArguments : row->second;
  std::string text = name + "(";
  for (int i = 0; i < call.arguments_size() && static_cast<std::size_t>(i) < count; ++i) {
    text += (i == 0 ? "" : ", ") + argument_text(call.arguments(i));
  }
  return text + ")";
}

}  // namespace icecore::cli
