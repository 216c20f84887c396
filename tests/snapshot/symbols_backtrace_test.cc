// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "snapshot/symbols/backtrace.h"
#include "tests/snapshot/live_image.h"

namespace icecore::symbols {
namespace {

using test::LiveImage;
using test::LiveVictim;
using testing::HasSubstr;
using testing::MatchesRegex;

struct Looker {
  explicit Looker(const LiveImage& image) : unwinder(image), symbolizer(image, cache) {}
  Backtrace look(const model::Thread& thread, std::size_t limit = 100) {
    return backtrace(unwinder, symbolizer, thread, limit);
  }
  ModuleCache cache;
  Unwinder unwinder;
  Symbolizer symbolizer;
};

std::vector<std::string> functions(const Backtrace& trace) {
  std::vector<std::string> names;
  for (const BacktraceLine& line : trace.lines) names.push_back(line.source.function);
  return names;
}

const BacktraceLine* line_of(const Backtrace& trace, const std::string& function) {
  const auto found = std::ranges::find_if(
      trace.lines, [&](const BacktraceLine& line) { return line.source.function == function; });
  return found == trace.lines.end() ? nullptr : &*found;
}

TEST(Backtrace, NamesInlinedFunctionsMembersAndNamespaces) {
  LiveVictim victim("symbols_frames");
  victim.command("walk");
  const LiveImage image(victim.pid());
  const Backtrace trace = Looker(image).look(image.process().threads(0));
  const auto names = functions(trace);
  const std::vector<std::string> expected = {"deep::block()",
                                             "deep::inlined_inner(int)",
                                             "deep::inlined_outer(int)",
                                             "deep::Walker::walk(int)",
                                             "deep::Walker::walk(int)",
                                             "deep::Walker::walk(int)",
                                             "deep::Walker::walk(int)",
                                             "main"};
  EXPECT_NE(std::search(names.begin(), names.end(), expected.begin(), expected.end()), names.end())
      << format_backtrace(trace);
  const BacktraceLine* inner = line_of(trace, "deep::inlined_inner(int)");
  ASSERT_NE(inner, nullptr);
  EXPECT_TRUE(inner->source.inlined);
  EXPECT_TRUE(inner->source.file.ends_with("tests/victims/symbols_frames.cc"));
  EXPECT_THAT(format_line(*inner),
              MatchesRegex("#[0-9]+ +0x[0-9a-f]+ in deep::inlined_inner\\(int\\) "
                           "\\(symbols_frames.cc:[0-9]+\\) \\[symbols_frames\\] inlined"));
  EXPECT_FALSE(line_of(trace, "deep::Walker::walk(int)")->source.inlined);
}

TEST(Backtrace, ShowsWhereASignalHandlerWasCalled) {
  LiveVictim victim("symbols_frames");
  victim.command("signal");
  const LiveImage image(victim.pid());
  const std::string text = format_backtrace(Looker(image).look(image.process().threads(0)));
  EXPECT_THAT(text, HasSubstr("deep::on_signal(int) (symbols_frames.cc"));
  EXPECT_THAT(text, HasSubstr("<signal handler called>"));
  EXPECT_THAT(text, HasSubstr("raise"));
  EXPECT_THAT(text, HasSubstr("in main (symbols_frames.cc"));
}

TEST(Backtrace, ShowsAThreadThatWaitsInTheCLibrary) {
  LiveVictim victim("symbols_frames");
  const LiveImage image(victim.pid());
  const std::string text = format_backtrace(Looker(image).look(image.process().threads(1)));
  EXPECT_THAT(text, HasSubstr("pthread_cond_wait"));
  EXPECT_THAT(text, HasSubstr("deep::wait_for_ever(void*) (symbols_frames.cc"));
}

TEST(Backtrace, UsesElfSymbolsWhereThereIsNoDebugInformation) {
  LiveVictim victim("symbols_frames");
  victim.command("walk");
  LiveImage image(victim.pid());
  image.debug_directory.clear();
  const std::string text = format_backtrace(Looker(image).look(image.process().threads(0)));
  EXPECT_THAT(text, MatchesRegex("#0  0x[0-9a-f]+ in read\\+[0-9]+ \\[libc.so.6\\]\n.*"));
}

TEST(Backtrace, SaysWhichFramesAreGuesses) {
  LiveVictim jit("symbols_frames");
  jit.command("jit");
  const LiveImage jit_image(jit.pid());
  const std::string text = format_backtrace(Looker(jit_image).look(jit_image.process().threads(0)));
  EXPECT_THAT(text, HasSubstr("in ?? [[anonymous]+0x6]\n"));
  EXPECT_THAT(text,
              MatchesRegex(".*in deep::call_through_jit\\(\\) [^\n]*\\(by frame pointer\\)\n.*"));
  LiveVictim null("symbols_frames");
  null.command("null");
  const LiveImage null_image(null.pid());
  EXPECT_THAT(
      format_backtrace(Looker(null_image).look(null_image.process().threads(0))),
      MatchesRegex(".*#[0-9]+ +0x0000000000000000 in \\?\\?\n[^\n]*deep::call_null\\(\\)[^\n]*"
                   "\\(by return address on the stack\\)\n[^\n]*in main .*"));
}

TEST(Backtrace, SaysThatMoreFramesFollow) {
  LiveVictim victim("symbols_frames");
  victim.command("walk");
  const LiveImage image(victim.pid());
  const Backtrace trace = Looker(image).look(image.process().threads(0), 2);
  EXPECT_TRUE(trace.is_cut);
  std::set<std::uint64_t> frames;
  for (const BacktraceLine& line : trace.lines) frames.insert(line.frame.sp);
  EXPECT_EQ(frames.size(), 2U) << format_backtrace(trace);
  EXPECT_FALSE(Looker(image).look(image.process().threads(0), 100).is_cut);
}

TEST(Symbolizer, NamesFunctionsOfTheVdso) {
  LiveVictim victim("symbols_frames");
  const LiveImage image(victim.pid());
  Looker looker(image);
  const auto& modules = looker.symbolizer.modules();
  const auto vdso = std::ranges::find(modules, true, &LoadedModule::is_vdso);
  ASSERT_NE(vdso, modules.end());
  const auto found =
      looker.symbolizer.symbols_of(*vdso).table().find_by_name("__vdso_clock_gettime");
  ASSERT_EQ(found.size(), 1U);
  const auto address = looker.symbolizer.symbolize(vdso->bias + found[0]->address + 1);
  EXPECT_EQ(address.module, "[vdso]");
  ASSERT_EQ(address.frames.size(), 1U);
  EXPECT_THAT(address.frames[0].function, HasSubstr("clock_gettime"));
  EXPECT_EQ(address.symbol_offset, 1U);
}

TEST(Symbolizer, KnowsNothingOfAnUnmappedAddress) {
  LiveVictim victim("symbols_frames");
  const LiveImage image(victim.pid());
  const auto address = Looker(image).symbolizer.symbolize(0x10);
  EXPECT_TRUE(address.frames.empty());
  EXPECT_EQ(address.module, "");
}

TEST(ModuleCache, ReadsALibraryOnceForTwoProcesses) {
  LiveVictim first("symbols_frames");
  LiveVictim second("symbols_frames");
  const LiveImage first_image(first.pid());
  const LiveImage second_image(second.pid());
  ModuleCache cache;
  const Symbolizer one(first_image, cache);
  const Symbolizer two(second_image, cache);
  ASSERT_EQ(one.modules().size(), two.modules().size());
  for (std::size_t i = 0; i < one.modules().size(); ++i) {
    const LoadedModule* same = nullptr;
    for (const LoadedModule& module : two.modules()) {
      if (module.path == one.modules()[i].path) same = &module;
    }
    ASSERT_NE(same, nullptr);
    EXPECT_EQ(&one.symbols_of(one.modules()[i]), &two.symbols_of(*same));
  }
}

}  // namespace
}  // namespace icecore::symbols
