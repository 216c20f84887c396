// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "snapshot/symbols/decoding/decoder.h"

namespace icecore::symbols {

/// Decodes x86-64 and is never wrong (decoding/agreeing_decoder.h says how). The tables of LLVM and
/// Capstone are megabytes with pointers in them, which every start of icecore would pay for: they
/// are in a library of their own, loaded by the first of these.
class InstructionDecoder {
 public:
  /// Throws Error when the library is missing or does not work.
  explicit InstructionDecoder(AssemblySyntax syntax);

  /// The instruction that `bytes` begin with; nullopt when they begin with none that is known.
  [[nodiscard]] std::optional<DecodedInstruction> decode(std::uint64_t address,
                                                         std::span<const std::byte> bytes) const {
    return decoder_->decode(address, bytes);
  }

 private:
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace icecore::symbols
