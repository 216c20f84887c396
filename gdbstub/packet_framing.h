// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace icecore::gdbstub {

/// What PacketSize promises: no packet has a longer payload on the wire, either way.
inline constexpr std::size_t kPacketSize = 0x20000;

struct Packet {
  std::string payload;  ///< escapes undone
};
struct Ack {};
struct Nack {};
struct Interrupt {};
/// A packet whose checksum is wrong.
struct BadChecksum {};
/// A packet longer than kPacketSize; its bytes are gone.
struct TooLong {};
using WireEvent = std::variant<Packet, Ack, Nack, Interrupt, BadChecksum, TooLong>;

/// Cuts a stream of bytes into packets. Bytes between packets that mean nothing are dropped, and
/// never more than one packet is kept.
class PacketReader {
 public:
  /// Takes bytes from the front of `bytes` until something is complete or they are all used.
  std::optional<WireEvent> next(std::string_view& bytes);

 private:
  enum class State { Between, Payload, FirstDigit, SecondDigit };
  std::optional<WireEvent> between(char byte);
  WireEvent finish(char second_digit);

  State state_ = State::Between;
  std::string raw_;
  bool too_long_ = false;
  std::uint8_t sum_ = 0;
  char first_digit_ = 0;
};

/// "$payload#sum"; the four characters that the framing uses are escaped.
[[nodiscard]] std::string frame(std::string_view payload);
/// "%payload#sum", which is never acknowledged.
[[nodiscard]] std::string frame_notification(std::string_view payload);
/// What `payload` would be on the wire between $ and #.
[[nodiscard]] std::string escape(std::string_view payload);
[[nodiscard]] std::string unescape(std::string_view raw);
/// How many leading bytes of `bytes` can be sent in at most `limit` escaped ones.
[[nodiscard]] std::size_t escaped_prefix(std::span<const std::byte> bytes, std::size_t limit);

}  // namespace icecore::gdbstub
