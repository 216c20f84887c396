// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "snapshot/symbols/decoding/decoder.h"

namespace icecore::symbols {

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
