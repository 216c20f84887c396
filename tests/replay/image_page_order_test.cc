// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "replay/image/page_order.h"
#include "tests/support/temp_directory.h"

namespace icecore::replay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PageOrder, ComesBackAsItWasWritten) {
  const PageOrder order{{2, 0x7ff800000, 1}, {1, 16, 3}};
  EXPECT_EQ(page_order_text(order), "2 7ff800000 1\n1 10 3\n");
  EXPECT_EQ(parse_page_order(page_order_text(order)), order);
}

TEST(PageOrder, SkipsLinesThatAreNone) {
  EXPECT_THAT(parse_page_order("1 2\nx y z\n\n1 10 ffffffffffffffff\n1 2 3\n1 2 3 4\n1 2"),
              ElementsAre(PageStretch{1, 2, 3}, PageStretch{1, 2, 3}));
  EXPECT_THAT(read_page_order("/no/such/file"), IsEmpty());
}

TEST(PageOrder, JoinsNeighboursForCopying) {
  EXPECT_THAT(joined({{1, 30, 1}, {2, 12, 1}, {1, 10, 2}, {1, 12, 3}, {1, 11, 1}}),
              ElementsAre(PageStretch{1, 10, 5}, PageStretch{1, 30, 1}, PageStretch{2, 12, 1}));
}

TEST(PageOrder, GrowsByWhatWasMissingButNotWithoutEnd) {
  const test::TempDirectory directory;
  const auto file = directory.path() / "x.order";
  add_to_page_order(file, {{1, 5, 1}});
  add_to_page_order(file, {{1, 3, 1}});
  EXPECT_THAT(read_page_order(file), ElementsAre(PageStretch{1, 5, 1}, PageStretch{1, 3, 1}));
  add_to_page_order(file, {{1, 0, 16383}, {1, 20000, 1}});
  EXPECT_EQ(read_page_order(file).size(), 2U);
  add_to_page_order("/no/such/directory/x.order", {{1, 5, 1}});
}

}  // namespace
}  // namespace icecore::replay
