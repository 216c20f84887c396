// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace icecore::replay {

/// Why the code in the cache stops with an int3. At each the program's state is native, but for
/// what is said here.
enum class ExitKind : std::uint8_t {
  Link,        ///< goes to Exit::pc, for which there was no block yet
  Indirect,    ///< goes to CacheLayout::target(); rax and rcx are in their slots
  LaneEmpty,   ///< counted down to 0 in front of the transfer; see Mark
  SaveX87,     ///< in front of an instruction that stores x87's last address, at Exit::pc
  SystemCall,  ///< these four: in front of the instruction at Exit::pc
  Input,
  Breakpoint,
  Unsupported,
  Stop,  ///< at a stopping place, Exit::pc
  Match  ///< at Exit::pc with the registers that are looked for
};

/// One int3 in the cache.
struct Exit {
  std::uint64_t address = 0;  ///< of the int3
  ExitKind kind = ExitKind::Link;
  std::uint64_t pc = 0;
  /// Of the 32-bit displacement that leads here and is to lead to the block of `pc`; 0: none.
  std::uint64_t patch = 0;
  /// A transfer has been retired on the way here. For uncounted blocks.
  bool after_transfer = false;
};

/// What is true from one byte of a block's code to the next mark, in order to find the native state
/// when the thread stops there.
struct Mark {
  enum : std::uint8_t {
    kCounted = 1,      ///< the transfer at the block's end is counted already
    kRcxInSlot = 2,    ///< so it is
    kPushed = 4,       ///< the return address of the call at `pc` is pushed already
    kInside = 8,       ///< the instruction at `pc` has begun: a trap of it is not complete
    kRepetition = 16,  ///< a `rep` instruction, which may have begun
    kDeadFlags = 32    ///< flags other than CF are lost; the next instruction overwrites them
  };
  std::uint16_t offset = 0;     ///< in the block's code
  std::uint16_t pc_offset = 0;  ///< of the instruction, from the block's pc
  std::uint8_t state = 0;
};

/// A translated stretch of code: it is entered only at its beginning, and left at its first
/// transfer at the latest.
struct Block {
  std::uint64_t pc = 0;
  std::uint64_t pc_end = 0;
  std::uint64_t code = 0;
  std::uint64_t code_end = 0;
  std::vector<Mark> marks{};  ///< ascending
  std::vector<Exit> exits{};
  /// Where its call returns to, 0 when it ends in none.
  std::uint64_t return_pc = 0;
  bool has_x87 = false;
};

}  // namespace icecore::replay
