// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "snapshot/symbols/decoding/decoder.h"
#include "snapshot/symbols/decoding/llvm_decoder.h"

namespace icecore::symbols {

/// Decodes x86-64 and is never wrong: Capstone's reading is shown where LLVM reads the same
/// mnemonic, registers and length; else LLVM's. Debian's Capstone 4 does not know EVEX (first byte
/// 0x62) and some older encodings, and reads a few of them as something else.
class AgreeingDecoder final : public Decoder {
 public:
  explicit AgreeingDecoder(AssemblySyntax syntax);
  ~AgreeingDecoder() override;
  AgreeingDecoder(const AgreeingDecoder&) = delete;
  AgreeingDecoder& operator=(const AgreeingDecoder&) = delete;

  [[nodiscard]] std::optional<DecodedInstruction> decode(
      std::uint64_t address, std::span<const std::byte> bytes) const noexcept override;

 private:
  class Capstone;
  LlvmDecoder llvm_;
  std::unique_ptr<Capstone> capstone_;
};

}  // namespace icecore::symbols
