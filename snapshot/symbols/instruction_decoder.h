// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "snapshot/symbols/llvm_decoder.h"

namespace icecore::symbols {

/// Decodes x86-64 and is never wrong: Capstone's reading is shown where LLVM reads the same
/// mnemonic, registers and length; else LLVM's. Debian's Capstone 4 does not know EVEX (first byte
/// 0x62) and some older encodings, and reads a few of them as something else.
class InstructionDecoder {
 public:
  explicit InstructionDecoder(AssemblySyntax syntax);
  ~InstructionDecoder();
  InstructionDecoder(const InstructionDecoder&) = delete;
  InstructionDecoder& operator=(const InstructionDecoder&) = delete;

  /// The instruction that `bytes` begin with; nullopt when they begin with none that is known.
  [[nodiscard]] std::optional<DecodedInstruction> decode(std::uint64_t address,
                                                         std::span<const std::byte> bytes) const;

 private:
  class Capstone;
  LlvmDecoder llvm_;
  std::unique_ptr<Capstone> capstone_;
};

}  // namespace icecore::symbols
