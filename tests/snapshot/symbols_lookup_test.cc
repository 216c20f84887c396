// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.h"
#include "snapshot/symbols/symbol_lookup.h"
#include "tests/snapshot/live_image.h"

namespace icecore::symbols {
namespace {

using test::LiveImage;
using test::LiveVictim;
using testing::Contains;
using testing::HasSubstr;

class SymbolLookup : public testing::Test {
 protected:
  LiveVictim victim{"symbols_frames"};
  LiveImage image{victim.pid()};
  ModuleCache cache;
  Symbolizer symbolizer{image, cache};
};

TEST_F(SymbolLookup, FindsAFunctionHoweverItIsWritten) {
  const LocatedSymbol found = find_function(symbolizer, "deep::Walker::walk");
  EXPECT_EQ(found.name, "deep::Walker::walk(int)");
  EXPECT_EQ(found.module, LiveVictim::path("symbols_frames"));
  EXPECT_GT(found.end, found.start);
  EXPECT_EQ(symbolizer.symbolize(found.start).frames.back().function, "deep::Walker::walk(int)");
  EXPECT_EQ(find_function(symbolizer, "deep::Walker::walk(int)").start, found.start);
  EXPECT_EQ(find_function(symbolizer, "_ZN4deep6Walker4walkEi").start, found.start);
}

TEST_F(SymbolLookup, FindsFunctionsOfLibraries) {
  EXPECT_TRUE(find_function(symbolizer, "pthread_cond_wait").module.ends_with("libc.so.6"));
  EXPECT_GT(find_symbols(symbolizer, "std::string::append").size() +
                find_symbols(symbolizer, "std::terminate").size(),
            0U);
}

TEST_F(SymbolLookup, TellsObjectsFromFunctions) {
  const auto found = find_symbols(symbolizer, "deep::waiting");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, Symbol::Kind::Object);
  EXPECT_EQ(found[0].end - found[0].start, 1U);
  EXPECT_THROW(find_function(symbolizer, "deep::waiting"), Error);
}

TEST_F(SymbolLookup, SuggestsNearNames) {
  EXPECT_THAT(suggest_symbols(symbolizer, "deep::Walker::wakl"), Contains("deep::Walker::walk"));
  EXPECT_THAT(suggest_symbols(symbolizer, "mian"), Contains("main"));
  EXPECT_THAT(suggest_symbols(symbolizer, "call_nul"), Contains("deep::call_null"));
  EXPECT_THAT(suggest_symbols(symbolizer, "through_jit"), Contains("deep::call_through_jit"));
  EXPECT_TRUE(suggest_symbols(symbolizer, "qqqqqqqqqqqqqqqqqqqqqqqq").empty());
  try {
    find_function(symbolizer, "mian");
    FAIL() << "a function that is not there was found";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no function mian in process"));
    EXPECT_THAT(error.hint(), HasSubstr("main"));
  }
}

TEST_F(SymbolLookup, ListsOverloads) {
  LiveVictim globals("symbols_globals");
  const LiveImage globals_image(globals.pid());
  const Symbolizer other(globals_image, cache);
  EXPECT_EQ(find_symbols(other, "shop::operator<").size(), 2U);
  EXPECT_EQ(find_function(other, "shop::operator<(shop::Till, int)").name,
            "shop::operator<(shop::Till, int)");
  try {
    find_function(other, "shop::operator<");
    FAIL() << "one of several overloads was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("several functions are called shop::operator<"));
    EXPECT_THAT(error.hint(), HasSubstr("'shop::operator<(int, shop::Till)'"));
  }
}

}  // namespace
}  // namespace icecore::symbols
