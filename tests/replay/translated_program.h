// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "replay/translate/translated_run.h"

namespace icecore::test {

/// A program started for translation: traced, stopped in front of its first instruction, pinned to
/// one CPU together with the test, its output in a pipe. Killed and reaped at the end. For
/// single-threaded programs.
class TranslatedProgram {
 public:
  /// Without randomised addresses, so that equal runs are equal.
  explicit TranslatedProgram(const std::vector<std::string>& arguments);
  /// A copy of a stopped program made by fork: of its memory and registers.
  TranslatedProgram(TranslatedProgram& original, int instance);
  ~TranslatedProgram();
  TranslatedProgram(const TranslatedProgram&) = delete;
  TranslatedProgram& operator=(const TranslatedProgram&) = delete;

  /// Kills it, if it has not ended.
  void end();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] int status() const { return status_; }

  [[nodiscard]] user_regs_struct registers() const;
  void set_registers(const user_regs_struct& registers) const;
  /// Executes the next instruction, whatever it is, as the processor does.
  void step_natively(int signal = 0);
  /// Executes the system call that is the next instruction.
  void pass_system_call();
  /// To the next stop for a system call, as the kernel does it.
  void run_natively_to_system_call();
  /// From there to its end.
  void finish_system_call();
  /// To its end, system calls included.
  void run_natively();

  /// What run() stops for, done natively: the system call or the instruction, the signal delivered.
  /// False when it is not for this to do, or the program has ended.
  bool settle(const replay::Outcome& outcome, replay::TranslatedRun& run);
  /// Runs it translated to its end; returns the transfers it took.
  std::uint64_t run_to_end(replay::TranslatedRun& run);
  /// Everything written to its output until it was closed. After its end.
  std::string output();

  /// For the next stop, after it was resumed.
  void wait();

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
  UniqueFd output_;
};

/// Everything of the program that its execution determines, to be compared: registers, vector
/// state, a hash of each writable mapping (not of `ignored` ranges).
struct ProgramState {
  user_regs_struct registers{};
  std::string xstate{};
  std::string memory{};  ///< one line a mapping
};
ProgramState state_of(const TranslatedProgram& program);
/// What differs, in words; empty when nothing does.
std::string difference(const ProgramState& expected, const ProgramState& actual);

}  // namespace icecore::test
