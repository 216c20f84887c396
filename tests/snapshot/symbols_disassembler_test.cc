// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.h"
#include "snapshot/symbols/build_id.h"
#include "snapshot/symbols/disassembler.h"
#include "tests/snapshot/live_image.h"

namespace icecore::symbols {
namespace {

using test::LiveImage;
using test::LiveVictim;
using testing::HasSubstr;

std::string decode(const std::string& hex, AssemblySyntax syntax = AssemblySyntax::Intel) {
  const std::vector<std::byte> bytes = build_id_bytes(hex);
  const auto decoded = InstructionDecoder(syntax).decode(0x1000, bytes);
  if (!decoded) return "none";
  return decoded->text + (decoded->length == bytes.size() ? "" : " and more bytes");
}

TEST(InstructionDecoder, ReadsCommonCode) {
  EXPECT_EQ(decode("4889e5"), "mov rbp, rsp");
  EXPECT_EQ(decode("e8fbffffff"), "call 0x1000");
  EXPECT_EQ(decode("f30f1efa"), "endbr64");
  EXPECT_EQ(decode("c5f458c2"), "vaddps ymm0, ymm1, ymm2");
  EXPECT_EQ(decode("4889e5", AssemblySyntax::Att), "movq %rsp, %rbp");
  EXPECT_EQ(decode("488b4508", AssemblySyntax::Att), "movq 8(%rbp), %rax");
}

TEST(InstructionDecoder, ReadsEvexWhereCapstone4DoesNot) {
  EXPECT_EQ(decode("62f1744858c2"), "vaddps zmm0, zmm1, zmm2");
  EXPECT_EQ(decode("62f17c4828c1"), "vmovaps zmm0, zmm1");
  EXPECT_EQ(decode("62b1fd4828c1"), "vmovapd zmm0, zmm17");
  // Compressed displacement: the byte counts 64.
  EXPECT_EQ(decode("62f17c48104001"), "vmovups zmm0, zmmword ptr [rax + 0x40]");
}

TEST(InstructionDecoder, ReadsMaskAndSystemInstructionsThatCapstone4LacksOrMisreads) {
  EXPECT_EQ(decode("c4e1fb92cb"), "kmovq k1, rbx");
  EXPECT_EQ(decode("0f01ee"), "rdpkru");
  // Without REX.W this extends to nothing; Capstone 4 says rsi.
  EXPECT_EQ(decode("63f1"), "movsxd esi, ecx");
}

TEST(InstructionDecoder, KeepsPrefixesWithTheirInstruction) {
  EXPECT_EQ(decode("f00fb1158fea1a00"), "lock cmpxchg dword ptr [rip + 0x1aea8f], edx");
  EXPECT_EQ(decode("f3a4"), "rep movsb byte ptr es:[rdi], byte ptr [rsi]");
}

TEST(InstructionDecoder, DoesNotGuess) {
  EXPECT_EQ(decode("06"), "none");                // not in 64-bit mode
  EXPECT_EQ(decode("62f174"), "none");            // cut short
  EXPECT_EQ(decode("62f5f6f6f6f6f6f6"), "none");  // EVEX without meaning
}

struct Looker {
  explicit Looker(const LiveImage& image) : symbolizer(image, cache) {}
  std::pair<std::uint64_t, std::uint64_t> function(const std::string& name) {
    for (const LoadedModule& module : symbolizer.modules()) {
      for (const Symbol* symbol : symbolizer.symbols_of(module).table().find_by_name(name)) {
        return {module.bias + symbol->address, module.bias + symbol->address + symbol->size};
      }
    }
    return {};
  }
  ModuleCache cache;
  Symbolizer symbolizer;
};

TEST(Disassembler, ShowsAvx512CodeRight) {
  LiveVictim victim("symbols_globals");
  const LiveImage image(victim.pid());
  Looker looker(image);
  const auto [start, end] = looker.function("_Z8add_widePKfPf");
  ASSERT_NE(start, 0U);
  const auto lines = Disassembler(looker.symbolizer, AssemblySyntax::Intel).range(start, end);
  const std::string text = format_instructions(lines);
  EXPECT_THAT(text, HasSubstr("vaddps zmm"));
  EXPECT_THAT(text, testing::ContainsRegex("vmovups zmmword ptr \\[r[a-z]+\\] \\{k[1-7]\\}"));
  EXPECT_THAT(text, testing::Not(HasSubstr(".byte"))) << text;
  EXPECT_EQ(lines.back().address + lines.back().bytes.size(), end);
  EXPECT_EQ(lines.back().text, "ret");
}

TEST(Disassembler, MarksTheCurrentInstructionInItsFunction) {
  LiveVictim victim("symbols_globals");
  const LiveImage image(victim.pid());
  Looker looker(image);
  const auto [start, end] = looker.function("plain_c_function");
  const Disassembler disassembler(looker.symbolizer, AssemblySyntax::Intel);
  const std::uint64_t second = disassembler.from(start, 2).back().address;
  const auto lines = disassembler.around(second);
  EXPECT_EQ(lines.front().address, start);
  EXPECT_EQ(std::ranges::count(lines, true, &DisassembledInstruction::is_current), 1);
  EXPECT_TRUE(lines[1].is_current);
  EXPECT_EQ(lines[1].symbol.substr(0, 17), "plain_c_function+");
  const std::string text = format_instructions(lines);
  EXPECT_THAT(text, HasSubstr("\n=> 0x"));
  EXPECT_THAT(text, HasSubstr("symbols_globals.cc:"));
  // The static variable is used relative to the instruction.
  EXPECT_THAT(text, HasSubstr(" <plain_c_function::calls>"));
}

TEST(Disassembler, NamesTheFunctionsThatAreCalled) {
  LiveVictim victim("symbols_globals");
  const LiveImage image(victim.pid());
  Looker looker(image);
  const auto [start, end] = looker.function("main");
  const auto lines = Disassembler(looker.symbolizer, AssemblySyntax::Intel).range(start, end);
  EXPECT_TRUE(std::ranges::any_of(lines, [](const DisassembledInstruction& line) {
    return line.text.starts_with("call") && line.target_symbol == "plain_c_function";
  })) << format_instructions(lines);
}

TEST(Disassembler, ShowsNothingOfUnmappedMemoryAndRefusesSillyRanges) {
  LiveVictim victim("symbols_globals");
  const LiveImage image(victim.pid());
  Looker looker(image);
  const Disassembler disassembler(looker.symbolizer, AssemblySyntax::Intel);
  EXPECT_TRUE(disassembler.from(0x10, 4).empty());
  EXPECT_TRUE(disassembler.around(~std::uint64_t{0}).empty());
  EXPECT_THROW(static_cast<void>(disassembler.range(2, 1)), Error);
  EXPECT_THROW(static_cast<void>(disassembler.range(0, ~std::uint64_t{0})), Error);
}

}  // namespace
}  // namespace icecore::symbols
