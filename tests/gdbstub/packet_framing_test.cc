// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/packet_framing.h"

#include <gtest/gtest.h>

#include "gdbstub/hex.h"

namespace icecore::gdbstub {
namespace {

std::vector<WireEvent> all_events(PacketReader& reader, std::string_view bytes) {
  std::vector<WireEvent> events;
  while (!bytes.empty()) {
    if (auto event = reader.next(bytes)) events.push_back(*event);
  }
  return events;
}

TEST(PacketFraming, APacketGoesThroughWithEveryByteValue) {
  std::string payload;
  for (int byte = 0; byte < 256; ++byte) payload += static_cast<char>(byte);
  PacketReader reader;
  const auto events = all_events(reader, frame(payload));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<Packet>(events[0]).payload, payload);
}

TEST(PacketFraming, APacketMayArriveByteByByte) {
  PacketReader reader;
  const std::string packet = "+" + frame("qC") + "\x03";
  std::vector<WireEvent> events;
  for (const char byte : packet) {
    for (auto& event : all_events(reader, std::string_view(&byte, 1))) events.push_back(event);
  }
  ASSERT_EQ(events.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<Ack>(events[0]));
  EXPECT_EQ(std::get<Packet>(events[1]).payload, "qC");
  EXPECT_TRUE(std::holds_alternative<Interrupt>(events[2]));
}

TEST(PacketFraming, AWrongChecksumIsTold) {
  PacketReader reader;
  const auto events = all_events(reader, "$g#00");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<BadChecksum>(events[0]));
}

TEST(PacketFraming, APacketThatIsCutOffGivesWayToTheNext) {
  PacketReader reader;
  const auto events = all_events(reader, "$qSuppor" + frame("?"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<Packet>(events[0]).payload, "?");
}

TEST(PacketFraming, AHugePacketIsDroppedAndTold) {
  PacketReader reader;
  const auto events = all_events(reader, frame(std::string(10 * kPacketSize, 'a')) + frame("?"));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<TooLong>(events[0]));
  EXPECT_EQ(std::get<Packet>(events[1]).payload, "?");
}

TEST(PacketFraming, TheEscapedPrefixFitsTheLimit) {
  const std::string text = "ab}c";
  EXPECT_EQ(escaped_prefix(as_bytes(text), 3), 2U);
  EXPECT_EQ(escaped_prefix(as_bytes(text), 4), 3U);
  EXPECT_EQ(escaped_prefix(as_bytes(text), 5), 4U);
}

TEST(Hex, NumbersAndBytesAreReadStrictly) {
  EXPECT_EQ(parse_hex_number("ffffffffffffffff"), ~std::uint64_t{0});
  EXPECT_EQ(parse_hex_number("10000000000000000"), std::nullopt);
  EXPECT_EQ(parse_hex_number(""), std::nullopt);
  EXPECT_EQ(parse_hex_number("1g"), std::nullopt);
  EXPECT_EQ(hex_number(0), "0");
  EXPECT_EQ(hex_number(0xabc), "abc");
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_EQ(to_hex(std::string_view("\xff\x01", 2)), "ff01");
}

}  // namespace
}  // namespace icecore::gdbstub
