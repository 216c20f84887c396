// SPDX-License-Identifier: Apache-2.0
#include "snapshot/register_codec.h"

#include <sys/user.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"

namespace icecore::snapshot {
namespace {

// XSAVE components (Intel SDM volume 1, 13.1).
constexpr unsigned kX87 = 0;
constexpr unsigned kSse = 1;
constexpr unsigned kAvx = 2;
constexpr unsigned kOpmask = 5;
constexpr unsigned kZmmHi256 = 6;
constexpr unsigned kHi16Zmm = 7;
constexpr unsigned kPkru = 9;
constexpr std::uint64_t kAvx512Mask = 1U << kOpmask | 1U << kZmmHi256 | 1U << kHi16Zmm;

constexpr std::size_t kAvxOffset = 576;  // fixed by the architecture
constexpr std::size_t kMxcsrOffset = 24;
constexpr std::size_t kSt0Offset = 32;
constexpr std::size_t kXmm0Offset = 160;

std::optional<std::size_t> component_offset(const model::Machine& machine, unsigned number) {
  for (const auto& component : machine.xsave_components()) {
    if (component.number() == number && component.offset() != 0) return component.offset();
  }
  if (number == kAvx) return kAvxOffset;
  return std::nullopt;
}

gdbstub::Amd64Sets register_sets(const model::Machine& machine) {
  const std::uint64_t xcr0 = machine.xcr0();
  gdbstub::Amd64Sets sets;
  sets.avx = (xcr0 & 1U << kAvx) != 0;
  sets.avx512 = sets.avx && (xcr0 & kAvx512Mask) == kAvx512Mask &&
                component_offset(machine, kOpmask) && component_offset(machine, kZmmHi256) &&
                component_offset(machine, kHi16Zmm);
  sets.pkeys = (xcr0 & 1U << kPkru) != 0 && component_offset(machine, kPkru);
  return sets;
}

std::uint64_t xstate_bv(const std::string& xstate) {
  std::uint64_t value = 0;
  if (xstate.size() < kXsaveHeader + sizeof value) return 0;
  std::memcpy(&value, xstate.data() + kXsaveHeader, sizeof value);
  return value;
}

/// The full tag word, which FXSAVE abridges to one bit per register, from what the registers hold.
std::uint32_t full_tag_word(const std::string& xstate) {
  constexpr std::uint32_t kEmpty = 3;
  constexpr std::uint32_t kSpecial = 2;
  constexpr std::uint32_t kZero = 1;
  constexpr std::uint32_t kValid = 0;
  const auto abridged = static_cast<std::uint8_t>(xstate[4]);
  const unsigned top = static_cast<std::uint8_t>(xstate[3]) >> 3U & 7U;
  std::uint32_t word = 0;
  for (unsigned physical = 0; physical < 8; ++physical) {
    std::uint32_t tag = kEmpty;
    if ((abridged >> physical & 1U) != 0) {
      const std::size_t at = kSt0Offset + (physical + 8 - top) % 8 * 16;
      std::uint64_t mantissa = 0;
      std::uint16_t exponent = 0;
      std::memcpy(&mantissa, xstate.data() + at, sizeof mantissa);
      std::memcpy(&exponent, xstate.data() + at + 8, sizeof exponent);
      exponent &= 0x7fff;
      if (exponent == 0x7fff) {
        tag = kSpecial;
      } else if (exponent == 0) {
        tag = mantissa == 0 ? kZero : kSpecial;
      } else {
        tag = mantissa >> 63U != 0 ? kValid : kSpecial;
      }
    }
    word |= tag << (2 * physical);
  }
  return word;
}

}  // namespace

RegisterCodec::RegisterCodec(const model::Machine& machine)
    : layout_(gdbstub::amd64_linux_layout(register_sets(machine))),
      places_(layout_.registers().size()) {
  place_user_regs();
  place_legacy();
  place_extended(machine);
}

void RegisterCodec::place(const std::string& name, const Place& place) {
  const auto index = layout_.find(name);
  if (index) places_[*index] = place;
}

void RegisterCodec::place_user_regs() {
  using Regs = user_regs_struct;
  const std::pair<const char*, std::size_t> wide[] = {
      {"rax", offsetof(Regs, rax)},         {"rbx", offsetof(Regs, rbx)},
      {"rcx", offsetof(Regs, rcx)},         {"rdx", offsetof(Regs, rdx)},
      {"rsi", offsetof(Regs, rsi)},         {"rdi", offsetof(Regs, rdi)},
      {"rbp", offsetof(Regs, rbp)},         {"rsp", offsetof(Regs, rsp)},
      {"r8", offsetof(Regs, r8)},           {"r9", offsetof(Regs, r9)},
      {"r10", offsetof(Regs, r10)},         {"r11", offsetof(Regs, r11)},
      {"r12", offsetof(Regs, r12)},         {"r13", offsetof(Regs, r13)},
      {"r14", offsetof(Regs, r14)},         {"r15", offsetof(Regs, r15)},
      {"rip", offsetof(Regs, rip)},         {"orig_rax", offsetof(Regs, orig_rax)},
      {"fs_base", offsetof(Regs, fs_base)}, {"gs_base", offsetof(Regs, gs_base)}};
  for (const auto& [name, offset] : wide) place(name, {Source::UserRegs, offset, 8});
  const std::pair<const char*, std::size_t> narrow[] = {
      {"eflags", offsetof(Regs, eflags)}, {"cs", offsetof(Regs, cs)}, {"ss", offsetof(Regs, ss)},
      {"ds", offsetof(Regs, ds)},         {"es", offsetof(Regs, es)}, {"fs", offsetof(Regs, fs)},
      {"gs", offsetof(Regs, gs)}};
  for (const auto& [name, offset] : narrow) place(name, {Source::UserRegs, offset, 4});
}

// The FXSAVE area: the first 512 bytes of every XSAVE image.
void RegisterCodec::place_legacy() {
  for (std::size_t i = 0; i < 8; ++i) {
    place("st" + std::to_string(i), {Source::Xstate, kSt0Offset + i * 16, 10, kX87});
  }
  place("fctrl", {Source::Xstate, 0, 2, kX87, 0x37f});
  place("fstat", {Source::Xstate, 2, 2, kX87});
  place("ftag", {Source::X87Tag, 4, 1, kX87, 0xffff});
  place("fop", {Source::Xstate, 6, 2, kX87, 0, 0x7ff});
  place("fioff", {Source::Xstate, 8, 4, kX87});
  place("fiseg", {Source::Xstate, 12, 2, kX87});
  place("fooff", {Source::Xstate, 16, 4, kX87});
  place("foseg", {Source::Xstate, 20, 2, kX87});
  for (std::size_t i = 0; i < 16; ++i) {
    place("xmm" + std::to_string(i), {Source::Xstate, kXmm0Offset + i * 16, 16, kSse});
  }
  // MXCSR belongs to SSE and AVX both, and is 0x1f80 only while neither is in use.
  place("mxcsr", {Source::Xstate, kMxcsrOffset, 4, kSse, 0x1f80});
}

void RegisterCodec::place_extended(const model::Machine& machine) {
  const auto at = [&](unsigned number) { return component_offset(machine, number).value_or(0); };
  for (std::size_t i = 0; i < 16; ++i) {
    const std::string low = std::to_string(i);
    const std::string high = std::to_string(i + 16);
    const std::size_t wide = at(kHi16Zmm) + i * 64;
    place("ymm" + low + "h", {Source::Xstate, at(kAvx) + i * 16, 16, kAvx});
    place("zmm" + low + "h", {Source::Xstate, at(kZmmHi256) + i * 32, 32, kZmmHi256});
    place("xmm" + high, {Source::Xstate, wide, 16, kHi16Zmm});
    place("ymm" + high + "h", {Source::Xstate, wide + 16, 16, kHi16Zmm});
    place("zmm" + high + "h", {Source::Xstate, wide + 32, 32, kHi16Zmm});
  }
  for (std::size_t i = 0; i < 8; ++i) {
    place("k" + std::to_string(i), {Source::Xstate, at(kOpmask) + i * 8, 8, kOpmask});
  }
  place("pkru", {Source::Xstate, at(kPkru), 4, kPkru});
}

gdbstub::RegisterValues RegisterCodec::decode(const model::Thread& thread) const {
  return decode(RegisterImages{thread.registers(), thread.xstate()});
}

gdbstub::RegisterValues RegisterCodec::decode(const RegisterImages& images) const {
  gdbstub::RegisterValues values(layout_);
  for (std::size_t i = 0; i < places_.size(); ++i) read(places_[i], images, values, i);
  return values;
}

void RegisterCodec::read(const Place& place, const RegisterImages& images,
                         gdbstub::RegisterValues& values, std::size_t index) const {
  const gdbstub::Register& reg = layout_.registers()[index];
  std::byte* out = values.bytes.data() + reg.offset;
  const bool general = place.source == Source::UserRegs;
  const std::string& image = general ? images.general : images.xstate;
  if (place.size == 0 || place.size > reg.size || image.size() < place.offset + place.size) return;
  std::uint64_t in_use = xstate_bv(image);
  if (reg.name == "mxcsr") in_use |= in_use >> 1U & 1U << kSse;
  if (!general && (in_use >> place.component & 1U) == 0) {
    // Not in the image's bytes, which may be stale: in its initial state.
    std::memcpy(out, &place.initial, std::min(sizeof place.initial, reg.size));
  } else if (place.source == Source::X87Tag) {
    const std::uint32_t tags = full_tag_word(image);
    std::memcpy(out, &tags, sizeof tags);
  } else {
    std::memcpy(out, image.data() + place.offset, place.size);
    if (place.mask != 0) {
      std::uint32_t word = 0;
      std::memcpy(&word, out, sizeof word);
      word &= place.mask;
      std::memcpy(out, &word, sizeof word);
    }
  }
  values.known[index] = true;
}

}  // namespace icecore::snapshot
