// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/assembler.h"

#include <array>

#include "base/check.h"

namespace icecore::replay {
namespace {

unsigned number(Register reg) { return static_cast<unsigned>(reg); }
std::uint8_t low(unsigned value) { return static_cast<std::uint8_t>(value); }

}  // namespace

void Assembler::word32(std::uint64_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
}

void Assembler::word64(std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
}

void Assembler::align(std::size_t size) {
  while (here() % size != 0) trap();
}

void Assembler::slot_access(std::uint8_t opcode, Register reg, std::uint64_t slot) {
  byte(low(0x48U | (number(reg) >> 3U) << 2U));
  byte(opcode);
  byte(low(0x04U | (number(reg) & 7U) << 3U));
  byte(0x25);
  word32(slot);
}

void Assembler::store_immediate(std::uint64_t slot, std::uint64_t value) {
  raw(std::array<std::uint8_t, 3>{0xc7, 0x04, 0x25});
  word32(slot);
  word32(value);
}

void Assembler::load_immediate(Register to, std::uint64_t value) {
  byte(low(0x48U | number(to) >> 3U));
  byte(low(0xb8U | (number(to) & 7U)));
  word64(value);
}

void Assembler::add(Register to, Register by) {
  // lea to, [by + to]: rsp can be a base but no index, and rbp and r13 as a base need a
  // displacement, so all get one.
  byte(low(0x48U | (number(to) >> 3U) << 2U | (number(to) >> 3U) << 1U | number(by) >> 3U));
  byte(0x8d);
  byte(low(0x44U | (number(to) & 7U) << 3U));
  byte(low((number(to) & 7U) << 3U | (number(by) & 7U)));
  byte(0);
}

void Assembler::add(Register to, std::int32_t by) {
  byte(low(0x48U | (number(to) >> 3U) << 2U | number(to) >> 3U));
  byte(0x8d);
  byte(low(0x80U | (number(to) & 7U) << 3U | (number(to) & 7U)));
  if ((number(to) & 7U) == 4) byte(0x24);
  word32(static_cast<std::uint32_t>(by));
}

void Assembler::decrement(std::uint64_t slot) {
  raw(std::array<std::uint8_t, 4>{0x48, 0xff, 0x0c, 0x25});
  word32(slot);
}

std::uint64_t Assembler::jump() {
  byte(0xe9);
  word32(0);
  return here() - 4;
}

std::uint64_t Assembler::jump_if(std::uint8_t opcode) {
  byte(0x0f);
  byte(opcode);
  word32(0);
  return here() - 4;
}

void Assembler::jump_to(std::uint64_t target) {
  byte(0xe9);
  word32(target - (here() + 4));
}

std::uint64_t Assembler::jump_if_rcx_zero() {
  byte(0xe3);
  byte(0);
  return here() - 1;
}

void Assembler::jump_through(std::uint64_t slot, Register index) {
  byte(0xff);
  byte(0x24);
  byte(low(0xc5U | number(index) << 3U));
  word32(slot);
}

void Assembler::bind(std::uint64_t at) {
  const std::uint64_t distance = here() - (at + 4);
  for (unsigned i = 0; i < 4; ++i) {
    bytes_[at - address_ + i] = static_cast<std::uint8_t>(distance >> (8 * i));
  }
}

void Assembler::bind_short(std::uint64_t at) {
  const std::uint64_t distance = here() - (at + 1);
  ICECORE_CHECK(distance < 128);
  bytes_[at - address_] = static_cast<std::uint8_t>(distance);
}

}  // namespace icecore::replay
