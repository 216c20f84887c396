// SPDX-License-Identifier: Apache-2.0
#include "cli/byte_size.h"

#include <gtest/gtest.h>

namespace icecore::cli {
namespace {

TEST(ByteSize, TakesPowersOf1024) {
  EXPECT_EQ(parse_byte_size("4096"), 4096U);
  EXPECT_EQ(parse_byte_size("0"), 0U);
  EXPECT_EQ(parse_byte_size("3K"), 3072U);
  EXPECT_EQ(parse_byte_size("64M"), 64U << 20U);
  EXPECT_EQ(parse_byte_size("2GiB"), std::uint64_t{2} << 30U);
}

TEST(ByteSize, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", "M", "-1", "1.5G", "1MB", "1k", "1 M", "20000000T", "99999999999999999999"}) {
    EXPECT_EQ(parse_byte_size(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace icecore::cli
