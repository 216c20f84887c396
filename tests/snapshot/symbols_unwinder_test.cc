// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/user.h>

#include <algorithm>
#include <cstring>

#include "snapshot/symbols/unwinder.h"
#include "tests/snapshot/live_image.h"

namespace icecore::symbols {
namespace {

using test::LiveImage;
using test::LiveVictim;

std::string main_stack_paths(const LiveImage& image, const std::vector<Frame>& frames) {
  const auto modules = find_loaded_modules(image);
  std::string text;
  for (const Frame& frame : frames) {
    const LoadedModule* module = find_module(modules, frame.lookup_pc());
    text += (module != nullptr ? module->path.substr(module->path.rfind('/') + 1) : "?") + "\n";
  }
  return text;
}

TEST(LoadedModules, AreTheExecutableTheLibrariesAndTheVdso) {
  LiveVictim victim("symbols_frames");
  const LiveImage image(victim.pid());
  const auto modules = find_loaded_modules(image);
  const auto has = [&](const std::string& end) {
    return std::ranges::any_of(modules,
                               [&](const LoadedModule& m) { return m.path.ends_with(end); });
  };
  EXPECT_TRUE(has("/symbols_frames"));
  EXPECT_TRUE(has("/libc.so.6"));
  EXPECT_TRUE(has("[vdso]"));
  EXPECT_TRUE(std::ranges::is_sorted(modules, {}, &LoadedModule::start));
  for (const LoadedModule& module : modules) EXPECT_EQ(module.build_id.size(), 40U) << module.path;
}

TEST(Unwinder, ReachesTheStartOfTheProgram) {
  LiveVictim victim("symbols_frames");
  victim.command("walk");
  const LiveImage image(victim.pid());
  const auto frames = Unwinder(image).frames(image.process().threads(0));
  // read, block, walk (with what was inlined) x4, main, __libc_start_call_main, __libc_start_main,
  // _start
  EXPECT_EQ(frames.size(), 10U) << main_stack_paths(image, frames);
  EXPECT_TRUE(frames.front().is_activation);
  for (std::size_t i = 1; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i].found_by, Frame::FoundBy::CallFrameInfo);
    EXPECT_GT(frames[i].sp, frames[i - 1].sp);
  }
}

TEST(Unwinder, StopsAtTheLimit) {
  LiveVictim victim("symbols_frames");
  victim.command("walk");
  const LiveImage image(victim.pid());
  EXPECT_EQ(Unwinder(image).frames(image.process().threads(0), 3).size(), 3U);
}

TEST(Unwinder, MarksTheFrameThatASignalInterrupted) {
  LiveVictim victim("symbols_frames");
  victim.command("signal");
  const LiveImage image(victim.pid());
  const auto frames = Unwinder(image).frames(image.process().threads(0));
  const auto handler_return = std::ranges::find(frames, true, &Frame::is_signal_return);
  ASSERT_NE(handler_return, frames.end()) << main_stack_paths(image, frames);
  EXPECT_EQ((handler_return + 1)->found_by, Frame::FoundBy::SignalContext);
  EXPECT_TRUE((handler_return + 1)->is_activation);
  EXPECT_FALSE((handler_return + 2)->is_activation);
  EXPECT_GE(frames.size(), 8U);
}

TEST(Unwinder, FindsTheCallerOfANullPointer) {
  LiveVictim victim("symbols_frames");
  victim.command("null");
  const LiveImage image(victim.pid());
  const auto frames = Unwinder(image).frames(image.process().threads(0));
  const auto null = std::ranges::find(frames, 0U, &Frame::pc);
  ASSERT_NE(null, frames.end()) << main_stack_paths(image, frames);
  ASSERT_GE(std::distance(null, frames.end()), 3);
  EXPECT_EQ((null + 1)->found_by, Frame::FoundBy::StackTop);
  EXPECT_EQ((null + 2)->found_by, Frame::FoundBy::CallFrameInfo);
  EXPECT_THAT(main_stack_paths(image, {null + 1, null + 3}), "symbols_frames\nsymbols_frames\n");
}

TEST(Unwinder, BelievesFramePointersInCodeWithoutCallFrameInformation) {
  LiveVictim victim("symbols_frames");
  victim.command("jit");
  const LiveImage image(victim.pid());
  const auto frames = Unwinder(image).frames(image.process().threads(0));
  const auto after_jit = std::ranges::find(frames, Frame::FoundBy::FramePointer, &Frame::found_by);
  ASSERT_NE(after_jit, frames.end()) << main_stack_paths(image, frames);
  EXPECT_THAT(main_stack_paths(image, {after_jit - 1, after_jit + 2}),
              "?\nsymbols_frames\nsymbols_frames\n");
  EXPECT_EQ(std::ranges::count(frames, Frame::FoundBy::FramePointer, &Frame::found_by), 1);
}

TEST(Unwinder, EndsOnGarbageRegisters) {
  LiveVictim victim("symbols_frames");
  LiveImage image(victim.pid());
  model::Thread thread = image.process().threads(0);
  user_regs_struct registers;
  std::memcpy(&registers, thread.registers().data(), sizeof registers);
  for (const std::uint64_t garbage : {0UL, 1UL, ~0UL, 0x8000000000000000UL, ~7UL}) {
    registers.rip = registers.rsp = registers.rbp = garbage;
    thread.set_registers(&registers, sizeof registers);
    const auto frames = Unwinder(image).frames(thread);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].pc, garbage);
  }
}

TEST(Unwinder, HasNoFramesWithoutRegisters) {
  LiveVictim victim("symbols_frames");
  const LiveImage image(victim.pid());
  EXPECT_TRUE(Unwinder(image).frames(model::Thread{}).empty());
}

}  // namespace
}  // namespace icecore::symbols
