// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "snapshot/symbols/instruction_decoder.h"
#include "snapshot/symbols/symbolizer.h"

namespace icecore::symbols {

/// One line of a listing: an instruction, or a byte that belongs to none.
struct DisassembledInstruction {
  std::uint64_t address = 0;
  std::vector<std::byte> bytes;
  std::string text;    // "call 0x401136"; ".byte 0x62" for what cannot be decoded
  std::string symbol;  // "main+12": what `address` is in; empty when unknown
  /// The address that it branches to or uses relative to itself, and the symbol there.
  std::optional<std::uint64_t> target;
  std::string target_symbol;
  /// "file.c:12", only on the first instruction of each line.
  std::string source_line;
  /// Whether a thread's pc is here.
  bool is_current = false;
};

/// Disassembles memory of one process. The symbolizer must outlive it.
class Disassembler {
 public:
  Disassembler(const Symbolizer& symbolizer, AssemblySyntax syntax);

  /// Everything in [start, end) that can be read; `pc` marks the current instruction.
  [[nodiscard]] std::vector<DisassembledInstruction> range(
      std::uint64_t start, std::uint64_t end, std::optional<std::uint64_t> pc = {}) const;

  /// At most `count` instructions from `start` on.
  [[nodiscard]] std::vector<DisassembledInstruction> from(
      std::uint64_t start, std::size_t count, std::optional<std::uint64_t> pc = {}) const;

  /// The whole function around `pc`, which is marked; without a symbol `count` instructions from pc
  /// on.
  [[nodiscard]] std::vector<DisassembledInstruction> around(std::uint64_t pc,
                                                            std::size_t count = 16) const;

 private:
  struct Wanted;
  [[nodiscard]] std::vector<DisassembledInstruction> disassemble(const Wanted& wanted) const;
  [[nodiscard]] DisassembledInstruction one(std::uint64_t address,
                                            std::span<const std::byte> bytes) const;

  const Symbolizer& symbolizer_;
  InstructionDecoder decoder_;
};

/// A line each: "=> 0x000055... <main+12>  48 89 e5  mov rbp, rsp  # 0x... <x>".
std::string format_instructions(const std::vector<DisassembledInstruction>& instructions);

}  // namespace icecore::symbols
