// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace icecore::replay {

/// The general registers as instructions number them.
enum class Register : std::uint8_t {
  Rax,
  Rcx,
  Rdx,
  Rbx,
  Rsp,
  Rbp,
  Rsi,
  Rdi,
  R8,
  R9,
  R10,
  R11,
  R12,
  R13,
  R14,
  R15
};

/// Writes machine code that is going to lie at `address`. Nothing that it writes changes flags,
/// but decrement().
class Assembler {
 public:
  explicit Assembler(std::uint64_t address) : address_(address) {
    constexpr std::size_t kUsual = 224;
    bytes_.reserve(kUsual);
  }

  /// Of the next byte.
  [[nodiscard]] std::uint64_t here() const { return address_ + bytes_.size(); }
  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }

  void raw(std::span<const std::uint8_t> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void byte(std::uint8_t value) { bytes_.push_back(value); }
  void word32(std::uint64_t value);
  void word64(std::uint64_t value);
  void align(std::size_t size);

  /// `slot` is below 2 GiB.
  void store(std::uint64_t slot, Register from) { slot_access(0x89, from, slot); }
  void load(Register to, std::uint64_t slot) { slot_access(0x8b, to, slot); }
  /// The low 32 bits of `value`.
  void store_immediate(std::uint64_t slot, std::uint64_t value);
  void load_immediate(Register to, std::uint64_t value);
  /// to += by; `to` is not rsp.
  void add(Register to, Register by);
  /// to += by, a constant of 32 bits.
  void add(Register to, std::int32_t by);
  /// 64-bit decrement in memory: changes all flags but CF.
  void decrement(std::uint64_t slot);
  void trap() { byte(0xcc); }

  /// jmp or jcc (`opcode` 0x80 to 0x8f) to where bind() or the cache will say; returns the address
  /// of the 32-bit displacement.
  std::uint64_t jump();
  std::uint64_t jump_if(std::uint8_t opcode);
  void jump_to(std::uint64_t target);
  /// jrcxz; the displacement is one byte, for bind_short().
  std::uint64_t jump_if_rcx_zero();
  /// jmp [slot + index * 8]
  void jump_through(std::uint64_t slot, Register index);

  /// Makes the displacement at `at` lead to here().
  void bind(std::uint64_t at);
  void bind_short(std::uint64_t at);

 private:
  void slot_access(std::uint8_t opcode, Register reg, std::uint64_t slot);

  std::uint64_t address_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace icecore::replay
