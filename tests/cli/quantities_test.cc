// SPDX-License-Identifier: Apache-2.0
#include "cli/quantities.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/duration.h"
#include "cli/text_table.h"

namespace icecore::cli {
namespace {

using namespace std::chrono_literals;

TEST(Quantities, ShowBytesInThreeDigits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(4096), "4.0 KiB");
  EXPECT_EQ(bytes_text(1536 * 1024), "1.5 MiB");
  EXPECT_EQ(bytes_text(~0ULL), "16777216 TiB");
}

TEST(Quantities, ShowTimesInUtcAndBefore1970) {
  EXPECT_EQ(utc_time_text(1'000'000'000'123'456'789), "2001-09-09T01:46:40.123456789Z");
  EXPECT_EQ(utc_time_text(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(Quantities, ShowPausesInTheirUnit) {
  EXPECT_EQ(microseconds_text(85), "85 us");
  EXPECT_EQ(microseconds_text(1240), "1.24 ms");
  EXPECT_EQ(microseconds_text(2'500'000), "2.50 s");
}

TEST(Duration, ReadsUnitsAndFractions) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("2"), 2s);
  EXPECT_EQ(parse_duration("1.5m"), 90s);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("ms"), std::nullopt);
  EXPECT_EQ(parse_duration("5 minutes"), std::nullopt);
}

TEST(TextTable, AlignsColumnsAndLetsANoteRunOver) {
  TextTable table({{"N", TextTable::Align::Right}, {"NAME"}, {"SIZE", TextTable::Align::Right}});
  table.add({"1", "n\u00e9", "10"});
  table.add({"22", "a note that is longer than the column"});
  std::ostringstream out;
  table.print(out, TextTable::Heading::Plain);
  EXPECT_EQ(out.str(),
            " N  NAME  SIZE\n"
            " 1  n\u00e9      10\n"
            "22  a note that is longer than the column\n");
}

}  // namespace
}  // namespace icecore::cli
