// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <array>
#include <cstdint>

namespace icecore::snapshot {

/// What a call that a stopped process made for us came to.
struct InjectedResult {
  std::int64_t result = 0;
  /// The process that was born of it, as our PID namespace has it; 0 when none was.
  int born = 0;
};

/// All signals are blocked while it lives: none is lost in stops of our own making.
class SignalsHeld {
 public:
  explicit SignalsHeld(int tid);
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld();

 private:
  int tid_;
  std::uint64_t mask_;
};

/// Lets process `pid`, stopped in front of an instruction or inside a call that was cut short, make
/// a call by the `syscall` at `instruction`; its registers are afterwards as they were. It is then
/// in another kind of stop: a signal that it was about to take is the caller's to deliver.
InjectedResult inject_call(int pid, std::uint64_t instruction, std::int64_t number,
                           const std::array<std::uint64_t, 6>& arguments);

/// Puts number and arguments where a `syscall` instruction expects them.
void set_call(user_regs_struct& registers, std::int64_t number,
              const std::array<std::uint64_t, 6>& arguments);
/// Resumes `pid`, at the entry to a call, until that has come back.
InjectedResult finish_call(int pid);

}  // namespace icecore::snapshot
