// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace icecore::symbols {

/// How x86 assembly is written: Intel's manuals (destination first) or AT&T's assembler.
enum class AssemblySyntax { Intel, Att };

/// One decoded instruction.
struct DecodedInstruction {
  std::size_t length = 0;
  std::string text;  // "mov rbp, rsp"
  /// Where it branches to, or the memory it uses relative to its own address.
  std::optional<std::uint64_t> target;
};

/// Decodes x86-64 with LLVM's MC layer: slower than Capstone, but right about EVEX.
class LlvmDecoder {
 public:
  explicit LlvmDecoder(AssemblySyntax syntax);
  ~LlvmDecoder();
  LlvmDecoder(const LlvmDecoder&) = delete;
  LlvmDecoder& operator=(const LlvmDecoder&) = delete;

  /// The instruction that `bytes` begin with; nullopt when they begin with none.
  [[nodiscard]] std::optional<DecodedInstruction> decode(std::uint64_t address,
                                                         std::span<const std::byte> bytes) const;

 private:
  std::optional<DecodedInstruction> decode_one(std::uint64_t address,
                                               std::span<const std::byte> bytes) const;

  struct Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace icecore::symbols
