// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "replay/image/late_pages.h"

namespace icecore::replay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Stretch = LatePages::Run;

TEST(LatePages, GivesWhatIsAskedForAndKeepsWhatIsAroundIt) {
  LatePages pages;
  pages.add({100, 100, 50});
  EXPECT_THAT(pages.cut(110, 5), ElementsAre(Stretch{110, 110, 5}));
  EXPECT_THAT(pages.cut(110, 5), IsEmpty());
  EXPECT_THAT(pages.cut(0, 1000), ElementsAre(Stretch{100, 100, 10}, Stretch{115, 115, 35}));
  EXPECT_TRUE(pages.empty());
}

TEST(LatePages, CutsThroughSeveralRuns) {
  LatePages pages;
  pages.add({10, 10, 10});
  pages.add({30, 30, 10});
  pages.add({50, 50, 10});
  EXPECT_THAT(pages.cut(15, 40),
              ElementsAre(Stretch{15, 15, 5}, Stretch{30, 30, 10}, Stretch{50, 50, 5}));
  EXPECT_THAT(pages.cut(5, 5), IsEmpty());
  EXPECT_THAT(pages.cut(20, 35), IsEmpty());
}

TEST(LatePages, KnowsWhereMovedPagesComeFrom) {
  LatePages pages;
  pages.add({100, 100, 10});
  for (auto run : pages.cut(104, 2)) {
    run.first += 1000;
    pages.add(run);
  }
  EXPECT_THAT(pages.cut(1105, 1), ElementsAre(Stretch{1105, 105, 1}));
  EXPECT_THAT(pages.cut(104, 2), IsEmpty());
}

TEST(LatePages, GivesTheLowestWhenNobodyAsks) {
  LatePages pages;
  pages.add({200, 200, 3});
  pages.add({100, 7, 100});
  EXPECT_EQ(pages.take_some(64), (Stretch{100, 7, 64}));
  EXPECT_EQ(pages.take_some(64), (Stretch{164, 71, 36}));
  EXPECT_EQ(pages.take_some(64), (Stretch{200, 200, 3}));
  EXPECT_TRUE(pages.empty());
}

}  // namespace
}  // namespace icecore::replay
