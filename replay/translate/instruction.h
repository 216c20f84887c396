// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace icecore::replay {

/// What an x86-64 instruction does to the flow of control, as far as translation has to know.
enum class Flow : std::uint8_t {
  Next,          ///< only the next instruction can follow (or a fault)
  Jump,          ///< jmp rel
  Conditional,   ///< jcc rel
  CountedJump,   ///< loopcc, jrcxz: rel8 only
  Call,          ///< call rel
  JumpIndirect,  ///< jmp r/m
  CallIndirect,  ///< call r/m
  Return,        ///< ret [imm16]
  SystemCall,    ///< syscall
  Input,         ///< rdtsc, cpuid, ...: depends on more than registers and memory
  Breakpoint,    ///< int3
  SavesX87,      ///< fnstenv, fxsave, xsave, ...: stores the address of the last x87 instruction
  Unsupported    ///< far transfers, iret, int n, sysenter, xbegin, 16-bit forms of the above
};

/// One decoded instruction: only what is needed to copy it elsewhere. Offsets are from its start.
struct Instruction {
  std::uint8_t length = 0;
  Flow flow = Flow::Next;
  std::uint8_t rex = 0;            ///< the REX byte, 0 when there is none
  std::uint8_t opcode_offset = 0;  ///< of the last opcode byte
  std::uint8_t modrm_offset = 0;   ///< 0: no ModRM
  std::uint8_t modrm = 0;
  std::uint8_t displacement_offset = 0;  ///< of the rip-relative displacement, 0: none
  std::uint8_t opcode = 0;               ///< last opcode byte
  std::uint8_t escape = 0;               ///< 0: one-byte map, 1: 0F, 2: 0F38, 3: 0F3A, 5..6: EVEX
  std::uint8_t segment = 0;              ///< 0x64 or 0x65, 0: none
  bool operand_16 = false;               ///< prefix 66
  bool address_32 = false;               ///< prefix 67
  std::uint8_t repeat = 0;               ///< F2 or F3, 0: none
  bool vector_encoding = false;          ///< VEX or EVEX
  std::int32_t relative = 0;             ///< branch displacement, or the imm16 of ret

  [[nodiscard]] unsigned mod() const { return modrm >> 6U; }
  [[nodiscard]] unsigned reg() const { return (modrm >> 3U) & 7U; }
  /// A string instruction with a repeat prefix.
  [[nodiscard]] bool is_repeated_string() const;
  /// Writes OF, SF, ZF, AF and PF without reading any of them, always, and cannot fault: what they
  /// held before does not matter.
  [[nodiscard]] bool overwrites_flags() const;
  /// Writes them too, from a comparison with memory: may fault, but can be done twice.
  [[nodiscard]] bool compares_memory() const;
  [[nodiscard]] bool is_x87() const {
    return escape == 0 && !vector_encoding && opcode >= 0xd8 && opcode <= 0xdf;
  }
};

/// The instruction that `code` begins with; nullopt when it is none that is known, or cut off.
/// Only Intel's and AMD's manuals are behind it: their opcode maps, with nothing that names
/// instructions, so that new ones in old maps are copied too.
[[nodiscard]] std::optional<Instruction> decode(std::span<const std::uint8_t> code);

}  // namespace icecore::replay
