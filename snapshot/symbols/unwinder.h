// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "snapshot/symbols/loaded_module.h"
#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// One activation of a function on a thread's stack.
struct Frame {
  /// How this frame was found; the last two are guesses that are usually right.
  enum class FoundBy {
    Registers,  // the innermost frame
    CallFrameInfo,
    SignalContext,  // what a signal interrupted, from the context that the kernel saved
    FramePointer,   // code without call frame information (JIT): the rbp chain was believed
    StackTop,       // a call to an address without code: the return address was on top of the stack
  };
  std::uint64_t pc = 0;
  std::uint64_t sp = 0;
  /// True when pc is the instruction to run next (innermost frame, frame interrupted by a signal);
  /// false when it is a return address, whose call lies just before it.
  bool is_activation = false;
  /// True for the code that a signal handler returns to; what the signal interrupted comes next.
  bool is_signal_return = false;
  FoundBy found_by = FoundBy::Registers;

  /// The address to look up for a function or source line.
  [[nodiscard]] std::uint64_t lookup_pc() const { return is_activation || pc == 0 ? pc : pc - 1; }
};

/// Walks the stacks of one process with the call frame information of its modules (elfutils). One
/// thread at a time; the image must outlive it. Files are opened only when a stack leads into them.
class Unwinder {
 public:
  static constexpr std::size_t kDefaultLimit = 1024;

  explicit Unwinder(const ProcessImage& image);
  ~Unwinder();
  Unwinder(const Unwinder&) = delete;
  Unwinder& operator=(const Unwinder&) = delete;

  /// The frames of `thread`, innermost first. Stops at the outermost frame, at the first frame that
  /// makes no sense, or after `limit`. Empty when the thread's registers are not known.
  [[nodiscard]] std::vector<Frame> frames(const model::Thread& thread,
                                          std::size_t limit = kDefaultLimit) const;

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace icecore::symbols
