// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace icecore::snapshot {

/// The few facts about tasks that freezing itself needs from /proc, read as cheaply as possible.
/// All answer "nothing" for a task that is gone.
struct TaskStat {
  char state = '?';  ///< R S D T t Z X
  int parent = 0;
  std::uint64_t start_time = 0;
};
std::optional<TaskStat> task_stat(int pid, int tid);
std::vector<int> task_ids(int pid);
/// Children of one thread (/proc/PID/task/TID/children).
std::vector<int> child_pids(int pid, int tid);
/// How many tasks the machine has, and the newest of them: equal at two times only if none was born
/// in between. (One that chose its own pid is not the newest, but is counted.)
struct Population {
  int tasks = 0;
  int newest = 0;
  bool operator==(const Population&) const = default;
};
std::optional<Population> population();
/// The process that thread `tid` belongs to.
std::optional<int> thread_group(int tid);
/// Its id as its own PID namespace has it; 0 when it is gone.
int innermost_id(int pid, int tid);
/// A file of /proc/PID/task/TID that the kernel writes in one piece.
std::string task_file(int pid, int tid, const char* name);
/// The CPU a task last ran on.
int last_cpu(int pid, int tid);
/// The system call number a sleeping task is in; nullopt when it runs user code.
std::optional<long> task_syscall(int pid, int tid);
/// The stack pointer of a sleeping task, wherever it sleeps.
std::optional<std::uint64_t> task_stack_pointer(int pid, int tid);

struct TaskSignals {
  std::uint64_t caught = 0;
  std::uint64_t ignored = 0;
  int tracer = 0;
  int seccomp = 0;  ///< mode: 0 none, 1 strict, 2 filters
};
std::optional<TaskSignals> task_signals(int pid, int tid);

}  // namespace icecore::snapshot
