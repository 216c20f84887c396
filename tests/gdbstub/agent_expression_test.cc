// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/agent_expression.h"

#include <gmock/gmock.h>

#include "gdbstub/hex.h"
#include "tests/gdbstub/session_fixture.h"

namespace icecore::gdbstub {
namespace {

using testing::StartsWith;

class AgentExpressionTest : public SessionFixture {
 protected:
  std::uint64_t value_of(const std::string& hex) {
    return AgentExpression(*from_hex(hex)).evaluate(target, {10, 11}).value;
  }
  std::string printed_by(const std::string& hex) {
    return AgentExpression(*from_hex(hex)).evaluate(target, {10, 11}).printed;
  }
  /// print of `format` with arguments that `pushed` has put on the stack, the first one last.
  static std::string print_code(const std::string& pushed, int count, const std::string& format) {
    const auto byte = [](std::size_t value) {
      const auto one = static_cast<std::byte>(value);
      return to_hex(std::span(&one, 1));
    };
    const std::string text = format + std::string(1, '\0');
    return pushed + "22002200" + "34" + byte(static_cast<std::size_t>(count)) +
           byte(text.size() >> 8U) + byte(text.size()) + to_hex(text) + "27";
  }
};

TEST_F(AgentExpressionTest, Calculates) {
  EXPECT_EQ(value_of("2205220302"
                     "27"),
            8U);
  EXPECT_EQ(value_of("2205220303"
                     "27"),
            2U);
  EXPECT_EQ(value_of("2205220304"
                     "27"),
            15U);
  EXPECT_EQ(value_of("22fb1608"
                     "2202"
                     "05"
                     "27"),
            static_cast<std::uint64_t>(-2));
  EXPECT_EQ(value_of("22fb1608"
                     "2202"
                     "07"
                     "27"),
            static_cast<std::uint64_t>(-1));
  EXPECT_EQ(value_of("2211220306"
                     "27"),
            5U);
  EXPECT_EQ(value_of("2211220308"
                     "27"),
            2U);
  EXPECT_EQ(value_of("2201220409"
                     "27"),
            16U);
  EXPECT_EQ(value_of("22fb1608"
                     "2201"
                     "0a"
                     "27"),
            static_cast<std::uint64_t>(-3));
  EXPECT_EQ(value_of("22fb1608"
                     "223c"
                     "0b"
                     "27"),
            15U);
  EXPECT_EQ(value_of("220e2207"
                     "0f"
                     "27"),
            6U);
  EXPECT_EQ(value_of("22000e27"), 1U);
  EXPECT_EQ(value_of("22ff1227"), ~std::uint64_t{255});
  EXPECT_EQ(value_of("2301022a0827"), 2U);
}

TEST_F(AgentExpressionTest, ComparesSignedAndUnsigned) {
  EXPECT_EQ(value_of("22ff1608"
                     "2201"
                     "14"
                     "27"),
            1U);
  EXPECT_EQ(value_of("22ff1608"
                     "2201"
                     "15"
                     "27"),
            0U);
  EXPECT_EQ(value_of("22052205"
                     "13"
                     "27"),
            1U);
}

TEST_F(AgentExpressionTest, MovesItsStack) {
  EXPECT_EQ(value_of("220122022b27"), 1U);
  EXPECT_EQ(value_of("220122022927"), 1U);
  EXPECT_EQ(value_of("2201220228"
                     "02"
                     "27"),
            4U);
  EXPECT_EQ(value_of("220122022203"
                     "3202"
                     "27"),
            1U);
  EXPECT_EQ(value_of("220122022203"
                     "33"
                     "27"),
            2U)
      << "1 2 3 => 3 1 2";
  EXPECT_EQ(value_of("220122022203"
                     "33"
                     "2929"
                     "27"),
            3U);
}

TEST_F(AgentExpressionTest, ReadsRegistersAndMemory) {
  const auto rip = target.layout.find("rip").value();
  const std::string number = to_hex(std::string{'\0', static_cast<char>(rip)});
  EXPECT_EQ(value_of("26" + number + "27"), 11U);
  EXPECT_EQ(value_of("23100117"
                     "27"),
            1U);
  EXPECT_EQ(value_of("23100118"
                     "27"),
            0x0201U);
  EXPECT_EQ(value_of("2400001001"
                     "1a"
                     "27"),
            0x0807060504030201U);
  EXPECT_THROW(value_of("26000027"), AgentExpressionError) << "rax is not known";
  EXPECT_THROW(value_of("26ffff27"), AgentExpressionError);
  EXPECT_THROW(value_of("22001a27"), AgentExpressionError) << "no memory at 0";
}

TEST_F(AgentExpressionTest, Jumps) {
  // 0: const8 1; 2: if_goto 9; 5: const8 7; 7: end; 9: const8 9; 11: end
  EXPECT_EQ(value_of("2201200009220727ff220927"), 9U);
  EXPECT_EQ(value_of("2200200009220727ff220927"), 7U);
  EXPECT_THROW(value_of("21ffff"), AgentExpressionError);
  EXPECT_THROW(value_of("210000"), AgentExpressionError) << "for ever";
}

TEST_F(AgentExpressionTest, RefusesWhatMakesNoSense) {
  for (const char* code : {"", "02", "22", "2501", "2201", "2c0001", "0c", "ff", "220022000527",
                           "220022000827", "29", "3205", "2833", "340000", "3400ffff"}) {
    EXPECT_THROW(value_of(code), AgentExpressionError) << code;
  }
  std::string pushes;
  for (int i = 0; i < 1000; ++i) pushes += "2201";
  EXPECT_THROW(value_of(pushes + "27"), AgentExpressionError);
}

TEST_F(AgentExpressionTest, TheSmallestNumberDividedByMinusOneIsItself) {
  const std::string smallest = "258000000000000000";
  EXPECT_EQ(value_of(smallest + "22ff1608"
                                "05"
                                "27"),
            std::uint64_t{1} << 63U);
  EXPECT_EQ(value_of(smallest + "22ff1608"
                                "07"
                                "27"),
            0U);
}

TEST_F(AgentExpressionTest, PrintsLikePrintf) {
  EXPECT_EQ(printed_by(print_code("22072206", 2, "a %d b %04x %% %q\n")), "a 6 b 0007 % %q\n");
  EXPECT_EQ(printed_by(print_code("22ff1608", 1, "%d|")), "-1|");
  EXPECT_EQ(printed_by(print_code("22ff1608", 1, "%-5ld|")), "-1   |");
  EXPECT_EQ(printed_by(print_code("2241", 1, "%3c|")), "  A|");
  std::ranges::copy(as_bytes(std::string("hello\0", 6)), target.memory.begin());
  EXPECT_EQ(printed_by(print_code("231000", 1, "%s!")), "hello!");
  EXPECT_EQ(printed_by(print_code("231000", 1, "%.2s!")), "he!");
  EXPECT_EQ(printed_by(print_code("2200", 1, "%s")), "(null)");
  EXPECT_EQ(printed_by(print_code("", 0, "%d %")), "%d %");
  EXPECT_EQ(printed_by(print_code("22ff", 1, "%#X %p")), "0XFF %p");
}

TEST_F(AgentExpressionTest, DecidesAboutBreakpoints) {
  const auto asks = [&] {
    return target.inserted.begin()->second->asks_for_stop(target, {10, 11});
  };
  EXPECT_EQ(ask("Z0,1000,1;X3,220027"), "OK");
  EXPECT_FALSE(asks());
  EXPECT_EQ(ask("Z0,1000,1;X3,220027X3,220127"), "OK");
  EXPECT_TRUE(asks());
  EXPECT_EQ(ask("Z0,1000,1;X2,ff27"), "OK");
  EXPECT_TRUE(asks()) << "gdb shall find out what is wrong";
  EXPECT_EQ(ask("Z0,1000,1"), "OK");
  EXPECT_EQ(target.inserted.begin()->second, nullptr);
  for (const char* packet : {"Z0,1000,1;X5,2200", "Z0,1000,1;Xzz", "Z0,1000,1;Y", "Z0,1000,1;X1,2g",
                             "Z0,1000,1;cmds:0,Y", "Z0,1000,1;Xffffffffffffffff,22"}) {
    EXPECT_THAT(ask(packet), StartsWith("E")) << packet;
  }
}

TEST_F(AgentExpressionTest, CommandsPrintOnTheConsoleInsteadOfStopping) {
  const std::string code = print_code("2205", 1, "i=%d\n");
  const std::string length = hex_number(code.size() / 2);
  EXPECT_EQ(ask("Z0,1000,1;X3,220127;cmds:1,X" + length + "," + code), "OK");
  EXPECT_FALSE(target.inserted.begin()->second->asks_for_stop(target, {10, 11}));
  EXPECT_EQ(take_replies(), "O" + to_hex("i=5\n"));
}

TEST(BreakpointOrders, WhatIsPrintedAfterTheClientIsGoneIsLost) {
  FakeTarget target;
  {
    Session session(target);
    // const8 0, const8 0, printf "x"
    session.receive(frame("Z0,1000,1;cmds:1,Xb,2200220034000002780027"));
    ASSERT_EQ(session.output(), "+" + frame("OK"));
  }
  EXPECT_FALSE(target.inserted.begin()->second->asks_for_stop(target, {10, 11}));
}

}  // namespace
}  // namespace icecore::gdbstub
