// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace icecore::snapshot::proc {

/// One line of /proc/PID/stat or /proc/PID/task/TID/stat, see proc_pid_stat(5). Fields that the
/// kernel withholds from those who may not trace the process are 0.
struct Stat {
  int pid = 0;
  std::string name;
  char state = '?';  ///< R S D T t Z X I
  int parent = 0;
  int process_group = 0;
  int session = 0;
  int terminal = 0;
  int foreground_group = 0;
  unsigned flags = 0;  ///< PF_*
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  int nice = 0;
  int threads = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since boot
  std::uint64_t start_code = 0;
  std::uint64_t end_code = 0;
  std::uint64_t start_stack = 0;
  int cpu = 0;
  unsigned realtime_priority = 0;
  unsigned policy = 0;
  std::uint64_t start_data = 0;
  std::uint64_t end_data = 0;
  std::uint64_t start_brk = 0;
  std::uint64_t arg_start = 0;
  std::uint64_t arg_end = 0;
  std::uint64_t env_start = 0;
  std::uint64_t env_end = 0;
  int exit_code = 0;  ///< as waitpid() would give it

  [[nodiscard]] bool kernel_thread() const { return (flags & 0x00200000U) != 0; }  // PF_KTHREAD
};

/// Throws Error when `text` is no such line.
Stat parse_stat(std::string_view text);

}  // namespace icecore::snapshot::proc
