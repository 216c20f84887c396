// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/error.h"
#include "replay/live/watch_slots.h"

namespace icecore::replay {
namespace {

using gdbstub::Breakpoint;
using Kind = Breakpoint::Kind;

Breakpoint watch(std::uint64_t address, std::uint64_t size, Kind kind = Kind::WriteWatch) {
  return {kind, 1, address, size};
}

TEST(WatchSlots, WritesTheControlRegisterAsTheManualHasIt) {
  WatchSlots slots;
  slots.insert(watch(0x1000, 8));
  slots.insert(watch(0x2000, 1, Kind::Hardware));
  slots.insert(watch(0x3004, 4, Kind::AccessWatch));
  const auto registers = slots.registers();
  EXPECT_EQ(registers.addresses[0], 0x1000U);
  EXPECT_EQ(registers.addresses[1], 0x2000U);
  EXPECT_EQ(registers.addresses[2], 0x3004U);
  // Local enable bits, then R/W and LEN: write of 8 (1001), execution (0000), access of 4 (1111).
  EXPECT_EQ(registers.control, 0x15U | 0x9U << 16U | 0x0U << 20U | 0xfU << 24U);
}

TEST(WatchSlots, SplitsWhatIsNotAligned) {
  WatchSlots slots;
  slots.insert(watch(0x1003, 6));
  const auto registers = slots.registers();
  EXPECT_EQ(registers.addresses[0], 0x1003U);  // 1 byte
  EXPECT_EQ(registers.addresses[1], 0x1004U);  // 4
  EXPECT_EQ(registers.addresses[2], 0x1008U);  // 1
}

TEST(WatchSlots, RefusesWhatDoesNotFitAndKeepsTheRest) {
  WatchSlots slots;
  slots.insert(watch(0x1000, 8));
  slots.insert(watch(0x2000, 8));
  EXPECT_THROW(slots.insert(watch(0x3001, 7)), Error);
  const auto registers = slots.registers();
  EXPECT_EQ(registers.addresses[1], 0x2000U);
  EXPECT_EQ(registers.addresses[2], 0U);
}

TEST(WatchSlots, SharesASlotAndFreesItWithItsLastUser) {
  WatchSlots slots;
  Breakpoint other = watch(0x1000, 4);
  other.pid = 2;
  slots.insert(watch(0x1000, 4));
  slots.insert(other);
  slots.remove(watch(0x1000, 4));
  EXPECT_FALSE(slots.empty());
  slots.remove(other);
  EXPECT_TRUE(slots.empty());
}

TEST(WatchSlots, TellsWhichOneWasHit) {
  WatchSlots slots;
  slots.insert(watch(0x1000, 4));
  slots.insert(watch(0x2000, 4, Kind::AccessWatch));
  EXPECT_EQ(slots.hit(0), std::nullopt);
  EXPECT_EQ(slots.hit(0x2)->address, 0x2000U);
  EXPECT_EQ(slots.hit(0x4001)->address, 0x1000U);  // with the single-step bit
}

}  // namespace
}  // namespace icecore::replay
