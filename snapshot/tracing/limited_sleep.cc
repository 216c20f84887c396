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

}  // namespace

bool LimitedSleeps::may_be_in(int pid, int tid) {
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/syscall";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 16> text{};
  if (!fd.valid() || ::read(fd.get(), text.data(), text.size() - 1) <= 0) return false;
  switch (std::atoi(text.data())) {
    case SYS_restart_syscall:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_futex:
      return true;
    case SYS_poll:
      return text[1] == ' ';  // not "running", which reads as 0
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
    known.sleep = {number_in_code(pid, registers.rip), since_ns};
  }
  known.instruction = registers.rip;
  known.stack = registers.rsp;
  return known.sleep;
}

void LimitedSleeps::keep_only(const std::set<int>& living) {
  std::erase_if(known_, [&](const auto& entry) { return !living.contains(entry.first); });
}

}  // namespace icecore::snapshot
