// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::snapshot::proc {

/// /proc/PID/status or /proc/PID/task/TID/status, see proc_pid_status(5): what stat does not have.
struct Status {
  std::string name;
  unsigned umask = 0;
  int thread_group = 0;
  int pid = 0;
  int parent = 0;
  int tracer = 0;
  std::array<unsigned, 4> uids{};  ///< real, effective, saved, file system
  std::array<unsigned, 4> gids{};
  std::vector<unsigned> groups;
  // Outermost namespace (that of the reader) first.
  std::vector<int> namespace_thread_groups;
  std::vector<int> namespace_pids;
  std::vector<int> namespace_process_groups;
  std::vector<int> namespace_sessions;
  int threads = 0;
  std::uint64_t pending = 0;         ///< of the thread
  std::uint64_t shared_pending = 0;  ///< of the process
  std::uint64_t blocked = 0;
  std::uint64_t ignored = 0;
  std::uint64_t caught = 0;
  std::uint64_t capabilities_inheritable = 0;
  std::uint64_t capabilities_permitted = 0;
  std::uint64_t capabilities_effective = 0;
  std::uint64_t capabilities_bounding = 0;
  std::uint64_t capabilities_ambient = 0;
  bool no_new_privs = false;
  unsigned seccomp_mode = 0;
  unsigned seccomp_filters = 0;
  bool thp_enabled = true;   ///< not switched off by PR_SET_THP_DISABLE
  bool has_memory = false;   ///< there are Vm lines: neither a zombie nor a kernel thread
  std::string cpus_allowed;  ///< "0-3,8"
  std::uint64_t voluntary_switches = 0;
};

Status parse_status(std::string_view text);

}  // namespace icecore::snapshot::proc
