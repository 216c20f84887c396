// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
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

/// What the library of the disassembler gives. Nothing is thrown across that border.
class Decoder {
 public:
  Decoder() = default;
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// The instruction that `bytes` begin with; nullopt when they begin with none that is known.
  [[nodiscard]] virtual std::optional<DecodedInstruction> decode(
      std::uint64_t address, std::span<const std::byte> bytes) const noexcept = 0;
};

constexpr const char* kDecoderLibrary = "libicecore-decoder.so";
constexpr const char* kOpenDecoderName = "icecore_open_decoder";
/// The library's only function: the caller owns the result; null with a `reason` when it cannot.
using OpenDecoder = Decoder*(AssemblySyntax syntax, std::string& reason) noexcept;

}  // namespace icecore::symbols
