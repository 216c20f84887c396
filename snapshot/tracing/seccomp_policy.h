// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace icecore::snapshot {

/// One seccomp filter of a thread as it was installed: a classic BPF program.
struct SeccompFilter {
  std::vector<sock_filter> program;
  std::uint64_t flags = 0;  ///< SECCOMP_FILTER_FLAG_LOG or none

  /// Whether it may hand calls to a supervisor (SECCOMP_RET_USER_NOTIF).
  [[nodiscard]] bool asks_supervisor() const;
};

/// What seccomp does to the system calls of one thread: asked before the thread is made to run any
/// of ours, since a call that it forbids may end the whole program.
class SeccompPolicy {
 public:
  /// Of a thread in a ptrace stop; `mode` as in /proc/PID/status. Only a tracer with CAP_SYS_ADMIN
  /// that is not below a filter itself may read filters; without, every call counts as deadly.
  static SeccompPolicy of(int tid, int mode);
  static SeccompPolicy strict();
  explicit SeccompPolicy(std::vector<SeccompFilter> filters);

  enum class Verdict {
    Allowed,   ///< made
    Harmless,  ///< not made: the program sees an error
    Deadly,    ///< ends the program, or waits for somebody who may never answer
  };
  [[nodiscard]] Verdict verdict(const seccomp_data& call) const;

  /// Newest first.
  [[nodiscard]] const std::vector<SeccompFilter>& filters() const { return filters_; }

 private:
  enum class Kind { Filters, Strict, Unknown };
  explicit SeccompPolicy(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::Filters;
  std::vector<SeccompFilter> filters_;
};

/// What a filter returns for a call: SECCOMP_RET_*, with its data.
std::uint32_t run_seccomp_filter(const std::vector<sock_filter>& program, const seccomp_data& call);

/// All filters of a thread in a ptrace stop, newest first; nullopt when they cannot be read.
std::optional<std::vector<SeccompFilter>> seccomp_filters(int tid);

/// Whether seccomp would not let a thread, in a ptrace stop, make restart_syscall: by which the
/// kernel goes on with a sleep that a stop has interrupted.
bool forbids_restart_syscall(int pid, int tid, std::uint64_t instruction_pointer);

}  // namespace icecore::snapshot
