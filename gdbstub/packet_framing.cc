// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/packet_framing.h"

#include <utility>

#include "gdbstub/hex.h"

namespace icecore::gdbstub {
namespace {

constexpr char kEscape = '}';
constexpr char kFlip = 0x20;

bool needs_escape(char byte) {
  return byte == '$' || byte == '#' || byte == kEscape || byte == '*';
}

std::string framed(char start, std::string_view payload) {
  std::string packet = start + escape(payload);
  unsigned sum = 0;
  for (std::size_t i = 1; i < packet.size(); ++i) sum += static_cast<std::uint8_t>(packet[i]);
  packet += '#';
  const auto check = static_cast<std::byte>(sum & 0xffU);
  return packet + to_hex(std::span(&check, 1));
}

}  // namespace

std::optional<WireEvent> PacketReader::between(char byte) {
  switch (byte) {
    case '$':
      state_ = State::Payload;
      raw_.clear();
      too_long_ = false;
      sum_ = 0;
      return std::nullopt;
    case '+':
      return Ack{};
    case '-':
      return Nack{};
    case '\x03':
      return Interrupt{};
    default:
      return std::nullopt;  // line noise
  }
}

std::optional<WireEvent> PacketReader::next(std::string_view& bytes) {
  while (!bytes.empty()) {
    const char byte = bytes.front();
    bytes.remove_prefix(1);
    switch (state_) {
      case State::Between:
        if (auto event = between(byte)) return event;
        break;
      case State::Payload:
        if (byte == '#') {
          state_ = State::FirstDigit;
        } else if (byte == '$') {
          between(byte);  // the rest of the packet before was lost
        } else {
          sum_ = static_cast<std::uint8_t>(sum_ + static_cast<std::uint8_t>(byte));
          if (raw_.size() < kPacketSize) {
            raw_ += byte;
          } else {
            too_long_ = true;
          }
        }
        break;
      case State::FirstDigit:
        first_digit_ = byte;
        state_ = State::SecondDigit;
        break;
      case State::SecondDigit:
        state_ = State::Between;
        return finish(byte);
    }
  }
  return std::nullopt;
}

WireEvent PacketReader::finish(char second_digit) {
  const int high = hex_digit(first_digit_);
  const int low = hex_digit(second_digit);
  if (high < 0 || low < 0 || high * 16 + low != sum_) return BadChecksum{};
  if (too_long_) return TooLong{};
  return Packet{unescape(std::exchange(raw_, {}))};
}

std::string escape(std::string_view payload) {
  std::string escaped;
  escaped.reserve(payload.size() + payload.size() / 32);
  for (const char byte : payload) {
    if (needs_escape(byte)) {
      escaped += kEscape;
      escaped += static_cast<char>(byte ^ kFlip);
    } else {
      escaped += byte;
    }
  }
  return escaped;
}

std::string unescape(std::string_view raw) {
  std::string payload;
  payload.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == kEscape && i + 1 < raw.size()) {
      payload += static_cast<char>(raw[++i] ^ kFlip);
    } else {
      payload += raw[i];
    }
  }
  return payload;
}

std::string frame(std::string_view payload) { return framed('$', payload); }

std::string frame_notification(std::string_view payload) { return framed('%', payload); }

std::size_t escaped_prefix(std::span<const std::byte> bytes, std::size_t limit) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    used += needs_escape(static_cast<char>(bytes[i])) ? 2 : 1;
    if (used > limit) return i;
  }
  return bytes.size();
}

}  // namespace icecore::gdbstub
