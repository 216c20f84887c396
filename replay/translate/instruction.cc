// SPDX-License-Identifier: Apache-2.0
#include "replay/translate/instruction.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace icecore::replay {
namespace {

/// What follows an opcode, one letter each:
/// '-' nothing  'm' ModRM  'b' imm8  'z' imm16/32  'w' imm16  'B' ModRM+imm8  'Z' ModRM+imm16/32
/// 'v' imm16/32/64 of mov  'o' moffs  'e' imm16+imm8  'j' rel8  'J' rel32  'g' F6/F7
/// '!' not in 64-bit mode, a prefix, or handled before
using Map = std::string_view;

constexpr Map kOneByte =
    "mmmmbz!!mmmmbz!!"   // 00
    "mmmmbz!!mmmmbz!!"   // 10
    "mmmmbz!!mmmmbz!!"   // 20
    "mmmmbz!!mmmmbz!!"   // 30
    "!!!!!!!!!!!!!!!!"   // 40
    "----------------"   // 50
    "!!!m!!!!zZbB----"   // 60
    "jjjjjjjjjjjjjjjj"   // 70
    "BZ!Bmmmmmmmmmmmm"   // 80
    "----------!-----"   // 90
    "oooo----bz------"   // a0
    "bbbbbbbbvvvvvvvv"   // b0
    "BBw-!!BZe-w--b!-"   // c0
    "mmmm!!!-mmmmmmmm"   // d0
    "jjjjbbbbJJ!j----"   // e0
    "!-!!--gg------mm";  // f0

constexpr Map k0f =
    "mmmm!-----!-!m-B"   // 00
    "mmmmmmmmmmmmmmmm"   // 10
    "mmmm!!!!mmmmmmmm"   // 20
    "------!-!!!!!!!!"   // 30
    "mmmmmmmmmmmmmmmm"   // 40
    "mmmmmmmmmmmmmmmm"   // 50
    "mmmmmmmmmmmmmmmm"   // 60
    "BBBBmmm-mm!!mmmm"   // 70
    "JJJJJJJJJJJJJJJJ"   // 80
    "mmmmmmmmmmmmmmmm"   // 90
    "---mBm!!---mBmmm"   // a0
    "mmmmmmmmmmBmmmmm"   // b0
    "mmBmBBBm--------"   // c0
    "mmmmmmmmmmmmmmmm"   // d0
    "mmmmmmmmmmmmmmmm"   // e0
    "mmmmmmmmmmmmmmmm";  // f0

static_assert(kOneByte.size() == 256 && k0f.size() == 256);

/// Reads one instruction front to back; any step may find that the bytes end or mean nothing.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> code)
      : code_(code.first(std::min<std::size_t>(code.size(), 15))) {}

  std::optional<Instruction> read() {
    if (!prefixes() || !opcode()) return std::nullopt;
    const char form = operand_form();
    if (form == '!') return std::nullopt;
    if (std::string_view("mBZg").find(form) != std::string_view::npos && !memory_operand()) {
      return std::nullopt;
    }
    if (!immediate(form) || failed_) return std::nullopt;
    in_.length = static_cast<std::uint8_t>(at_);
    in_.flow = flow();
    if (in_.displacement_offset != 0 && in_.address_32) in_.flow = Flow::Unsupported;
    return in_;
  }

 private:
  std::uint8_t next() {
    if (at_ < code_.size()) return code_[at_++];
    failed_ = true;
    return 0;
  }

  bool prefixes() {
    for (;; ++at_) {
      if (at_ >= code_.size()) return false;
      const std::uint8_t byte = code_[at_];
      if (byte == 0x66) {
        in_.operand_16 = true;
      } else if (byte == 0x67) {
        in_.address_32 = true;
      } else if (byte == 0xf2 || byte == 0xf3) {
        in_.repeat = byte;
      } else if (byte == 0x64 || byte == 0x65) {
        in_.segment = byte;
      } else if (byte == 0xf0) {
        lock_ = true;
      } else if (byte != 0x2e && byte != 0x36 && byte != 0x3e && byte != 0x26) {
        break;
      }
    }
    if ((code_[at_] & 0xf0U) == 0x40) in_.rex = code_[at_++];
    return at_ < code_.size();
  }

  bool opcode() {
    std::uint8_t byte = next();
    if (byte == 0xc5 || byte == 0xc4 || byte == 0x62) return vector_prefix(byte);
    if (byte == 0x0f) {
      byte = next();
      in_.escape = 1;
      if (byte == 0x38 || byte == 0x3a) {
        in_.escape = byte == 0x38 ? 2 : 3;
        byte = next();
      }
    }
    take_opcode(byte);
    return !failed_;
  }

  void take_opcode(std::uint8_t byte) {
    in_.opcode = byte;
    in_.opcode_offset = static_cast<std::uint8_t>(at_ - 1);
  }

  /// VEX and EVEX hold prefix and map; legacy prefixes and REX before them are undefined.
  bool vector_prefix(std::uint8_t first) {
    if (in_.operand_16 || in_.repeat != 0 || in_.rex != 0 || lock_) return false;
    in_.vector_encoding = true;
    const std::uint8_t payload = next();
    in_.escape = 1;
    if (first == 0xc4) {
      in_.escape = payload & 0x1fU;
      next();
      if (in_.escape < 1 || in_.escape > 3) return false;
    } else if (first == 0x62) {
      in_.escape = payload & 7U;
      if ((payload & 8U) != 0 || (next() & 4U) == 0) return false;
      next();
      if (in_.escape == 0 || in_.escape == 4 || in_.escape == 7) return false;
    }
    take_opcode(next());
    return !failed_;
  }

  [[nodiscard]] char operand_form() const {
    if (in_.vector_encoding) {
      if (in_.escape == 3) return 'B';
      if (in_.escape != 1) return 'm';
      if (in_.opcode == 0x77) return '-';
      const char form = k0f[in_.opcode];
      return form == 'B' || form == 'm' ? form : 'm';
    }
    switch (in_.escape) {
      case 0:
        return kOneByte[in_.opcode];
      case 1:
        return k0f[in_.opcode];
      case 2:
        return 'm';
      default:
        return 'B';
    }
  }

  bool memory_operand() {
    in_.modrm_offset = static_cast<std::uint8_t>(at_);
    in_.modrm = next();
    const unsigned rm = in_.modrm & 7U;
    // Moves of control and debug registers take every mod for 3.
    const bool always_register =
        in_.escape == 1 && !in_.vector_encoding && in_.opcode >= 0x20 && in_.opcode <= 0x23;
    if (in_.mod() == 3 || always_register) return !failed_;
    const bool has_sib = rm == 4;
    const unsigned base = has_sib ? next() & 7U : rm;
    if (in_.mod() == 0 && rm == 5) in_.displacement_offset = static_cast<std::uint8_t>(at_);
    if (in_.mod() == 1) {
      skip(1);
    } else if (in_.mod() == 2 || (in_.mod() == 0 && base == 5)) {
      skip(4);
    }
    return !failed_;
  }

  void skip(std::size_t bytes) {
    at_ += bytes;
    if (at_ > code_.size()) failed_ = true;
  }

  [[nodiscard]] bool wide() const { return (in_.rex & 8U) != 0; }

  bool immediate(char form) {
    const std::size_t z = in_.operand_16 && !wide() ? 2 : 4;
    switch (form) {
      case 'b':
      case 'B':
        skip(is_extrq() ? 2 : 1);
        break;
      case 'm':
        if (is_extrq()) skip(2);
        break;
      case 'z':
      case 'Z':
        skip(z);
        break;
      case 'w':
        return read_relative(2);
      case 'v':
        skip(wide() ? 8 : z);
        break;
      case 'o':
        skip(in_.address_32 ? 4 : 8);
        break;
      case 'e':
        skip(3);
        break;
      case 'j':
        return read_relative(1);
      case 'J':
        return read_relative(4);
      case 'g':
        if (in_.reg() < 2) skip(in_.opcode == 0xf6 ? 1 : z);
        break;
      default:
        break;
    }
    return !failed_;
  }

  /// SSE4a: 66/F2 0F 78 with two bytes.
  [[nodiscard]] bool is_extrq() const {
    return in_.escape == 1 && !in_.vector_encoding && in_.opcode == 0x78 &&
           (in_.operand_16 || in_.repeat == 0xf2);
  }

  bool read_relative(std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint32_t>(next()) << (8 * i);
    in_.relative = size == 1 ? static_cast<std::int8_t>(value) : static_cast<std::int32_t>(value);
    return !failed_;
  }

  [[nodiscard]] Flow flow() const {
    if (in_.vector_encoding) return Flow::Next;
    if (in_.escape == 0) return one_byte_flow();
    return in_.escape == 1 ? escaped_flow() : Flow::Next;
  }

  /// With a 16-bit operand size Intel and AMD do different things.
  [[nodiscard]] Flow near(Flow flow) const {
    return in_.operand_16 && !wide() ? Flow::Unsupported : flow;
  }

  [[nodiscard]] Flow one_byte_flow() const {
    const unsigned op = in_.opcode;
    if (op >= 0x70 && op <= 0x7f) return near(Flow::Conditional);
    if (op >= 0xe0 && op <= 0xe3) return near(Flow::CountedJump);
    const bool memory = in_.modrm_offset != 0 && in_.mod() != 3;
    switch (op) {
      case 0xe8:
        return near(Flow::Call);
      case 0xe9:
      case 0xeb:
        return near(Flow::Jump);
      case 0xc2:
      case 0xc3:
        return near(Flow::Return);
      case 0xcc:
        return Flow::Breakpoint;
      case 0xca:
      case 0xcb:
      case 0xcd:
      case 0xcf:
      case 0xf1:
        return Flow::Unsupported;
      case 0xc6:
      case 0xc7:  // xabort, xbegin
        return in_.modrm == 0xf8 ? Flow::Unsupported : Flow::Next;
      case 0x8f:  // XOP
        return in_.reg() != 0 ? Flow::Unsupported : Flow::Next;
      case 0xd9:
      case 0xdd:  // fnstenv, fnsave
        return memory && in_.reg() == 6 ? Flow::SavesX87 : Flow::Next;
      case 0xff:
        return group5();
      default:
        return Flow::Next;
    }
  }

  [[nodiscard]] Flow group5() const {
    switch (in_.reg()) {
      case 2:
        return near(Flow::CallIndirect);
      case 4:
        return near(Flow::JumpIndirect);
      case 3:
      case 5:
        return Flow::Unsupported;
      default:
        return Flow::Next;
    }
  }

  [[nodiscard]] Flow escaped_flow() const {
    const unsigned op = in_.opcode;
    if (op >= 0x80 && op <= 0x8f) return near(Flow::Conditional);
    const bool memory = in_.mod() != 3;
    switch (op) {
      case 0x05:
        return Flow::SystemCall;
      case 0x07:
      case 0x34:
      case 0x35:
        return Flow::Unsupported;
      case 0x31:
      case 0x33:
      case 0xa2:
        return Flow::Input;
      case 0x01:
        return in_.modrm == 0xf9 ? Flow::Input : Flow::Next;
      case 0xae:
        return memory && (in_.reg() == 0 || in_.reg() == 4 || in_.reg() == 6) ? Flow::SavesX87
                                                                              : Flow::Next;
      case 0xc7:
        if (!memory) return in_.reg() >= 6 ? Flow::Input : Flow::Next;
        return in_.reg() == 4 || in_.reg() == 5 ? Flow::SavesX87 : Flow::Next;
      default:
        return Flow::Next;
    }
  }

  std::span<const std::uint8_t> code_;
  std::size_t at_ = 0;
  bool failed_ = false;
  bool lock_ = false;
  Instruction in_;
};

}  // namespace

bool Instruction::is_repeated_string() const {
  return repeat != 0 && escape == 0 && !vector_encoding &&
         ((opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf) ||
          (opcode >= 0x6c && opcode <= 0x6f));
}

bool Instruction::overwrites_flags() const {
  if (vector_encoding) return false;
  const bool registers_only = modrm_offset == 0 || mod() == 3;
  if (!registers_only) return false;
  if (escape == 1) return opcode == 0x2e || opcode == 0x2f || (opcode == 0xb8 && repeat == 0xf3);
  if (escape != 0) return false;
  if (opcode < 0x40 && (opcode & 7U) < 6) return true;  // add ... cmp
  if (opcode >= 0x80 && opcode <= 0x83) return true;    // the same, immediate
  if (opcode == 0x84 || opcode == 0x85 || opcode == 0xa8 || opcode == 0xa9) return true;  // test
  if (opcode == 0xf6 || opcode == 0xf7) return reg() < 2 || reg() == 3;  // test, neg
  return (opcode == 0xfe || opcode == 0xff) && reg() < 2;                // inc, dec
}

bool Instruction::compares_memory() const {
  if (vector_encoding || modrm_offset == 0 || mod() == 3) return false;
  if (escape == 1) return opcode == 0x2e || opcode == 0x2f;  // ucomis, comis
  if (escape != 0) return false;
  if (opcode >= 0x38 && opcode <= 0x3b) return true;
  if (opcode >= 0x80 && opcode <= 0x83) return reg() == 7;
  if (opcode == 0x84 || opcode == 0x85) return true;
  return (opcode == 0xf6 || opcode == 0xf7) && reg() < 2;
}

std::optional<Instruction> decode(std::span<const std::uint8_t> code) {
  return Reader(code).read();
}

}  // namespace icecore::replay
