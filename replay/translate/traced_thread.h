// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <optional>

#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

/// Why a thread that runs translated code stopped.
struct ThreadStop {
  enum class Reason {
    Ended,
    Trap,   ///< int3
    Watch,  ///< a debug register
    Step,   ///< the trap flag, or a single step
    Fault   ///< any other signal that its instruction raised
  };
  Reason reason = Reason::Ended;
  int status = 0;  ///< as of waitpid(2)
  snapshot::SiginfoBytes siginfo{};
};

/// The stopped thread and its registers, which are read and written once per stop. Signals that
/// nobody's instruction raised are not delivered: the process is a copy that nobody knows, and what
/// the program received is given to it by who replays it.
class TracedThread {
 public:
  explicit TracedThread(int tid) : tid_(tid) {}

  [[nodiscard]] int tid() const { return tid_; }
  /// As they were read at the last stop; changes are written when it resumes, or by write().
  user_regs_struct& registers() { return registers_; }
  void read();
  void write();

  /// While it runs translated code SIGTRAP must not be blocked: the kernel would kill it by the
  /// trap of an int3, or forget its handler (force_sig_info_to_task).
  void unblock_traps();
  void restore_mask();

  ThreadStop resume();
  ThreadStop single_step();

  /// x87's address of its last instruction, as stored by xsave64; 0 when x87 is in its initial
  /// state.
  [[nodiscard]] std::uint64_t x87_instruction() const;
  void set_x87_instruction(std::uint64_t address);

 private:
  enum class How { Run, Step };
  ThreadStop go(How how);
  ThreadStop describe(int status);

  int tid_;
  user_regs_struct registers_{};
  std::optional<std::uint64_t> mask_;  ///< the program's, while it is another
};

}  // namespace icecore::replay
