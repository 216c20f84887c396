// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/limited_sleep.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/unique_fd.h"
#include "snapshot/tracing/process_memory.h"

namespace icecore::snapshot {
namespace {

constexpr std::int64_t kRestartBlock = -516;  // -ERESTART_RESTARTBLOCK of the kernel

/// `mov eax, NUMBER; syscall` in front of `rip`, as C libraries have it.
std::int64_t number_in_code(int pid, std::uint64_t rip) {
  std::array<std::byte, 7> code{};
  if (!read_process(pid, rip - code.size(), code) || code[0] != std::byte{0xb8}) return -1;
  std::int32_t number = 0;
  std::memcpy(&number, &code[1], sizeof number);
  return number;
}

/// By the function in which it sleeps, and by what the arguments can be.
std::int64_t number_by_channel(const std::string& channel, const user_regs_struct& registers) {
  if (channel.find("futex") != std::string::npos) return SYS_futex;
  if (channel.find("poll") != std::string::npos) return SYS_poll;
  if (channel.find("nanosleep") == std::string::npos) return -1;
  constexpr std::uint64_t kFirstPage = 4096;
  return registers.rdi < kFirstPage ? SYS_clock_nanosleep : SYS_nanosleep;
}

std::string first_bytes(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  const ssize_t size = fd.valid() ? ::read(fd.get(), text.data(), text.size()) : 0;
  return {text.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

}  // namespace

bool LimitedSleeps::may_be_in(int pid, int tid) {
  const std::string directory =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/";
  const std::string text = first_bytes(directory + "syscall");
  switch (std::atoi(text.c_str())) {
    case SYS_restart_syscall:
      channels_[tid] = first_bytes(directory + "wchan");
      return true;
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_futex:
    case SYS_poll:
      return true;
    default:
      return false;
  }
}

std::optional<LimitedSleeps::Sleep> LimitedSleeps::find(int pid, int tid,
                                                        const user_regs_struct& registers,
                                                        std::optional<std::int64_t> since_ns) {
  const auto call = static_cast<std::int64_t>(registers.orig_rax);
  if (static_cast<std::int64_t>(registers.rax) != kRestartBlock || call < 0) {
    known_.erase(tid);
    return std::nullopt;
  }
  auto& known = known_[tid];
  const bool same = known.instruction == registers.rip && known.stack == registers.rsp;
  if (call != SYS_restart_syscall) {
    known.sleep = {call, since_ns};
  } else if (!same) {
    // Interrupted before we came; the sleep that we saw is only its last part.
    std::int64_t number = number_in_code(pid, registers.rip);
    if (number < 0) number = number_by_channel(channels_[tid], registers);
    known.sleep = {number, since_ns};
  }
  known.instruction = registers.rip;
  known.stack = registers.rsp;
  return known.sleep;
}

void LimitedSleeps::keep_only(const std::set<int>& living) {
  const auto is_gone = [&](const auto& entry) { return !living.contains(entry.first); };
  std::erase_if(known_, is_gone);
  std::erase_if(channels_, is_gone);
}

}  // namespace icecore::snapshot
