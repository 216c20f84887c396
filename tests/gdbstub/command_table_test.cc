// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/command_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/gdbstub/fake_target.h"

namespace icecore::gdbstub {
namespace {

TEST(CommandTable, TheLongestPrefixWins) {
  FakeTarget target;
  EXPECT_EQ(find_command("qSupported:x", target)->packet, "qSupported");
  EXPECT_EQ(find_command("vCont?", target)->packet, "vCont?");
  EXPECT_EQ(find_command("vKill;1", target)->packet, "vKill;");
  EXPECT_EQ(find_command("m0,1", target)->packet, "m");
  EXPECT_EQ(find_command("vMustReplyEmpty", target), nullptr);
}

TEST(CommandTable, NoPacketIsListedTwice) {
  std::set<std::string_view> seen;
  for (const Command& command : command_table()) {
    if (command.run != nullptr) {
      EXPECT_TRUE(seen.insert(command.packet).second) << command.packet;
    }
    EXPECT_FALSE(command.purpose.empty()) << command.packet;
  }
}

// Mend the document with: ICECORE_UPDATE_DOCS=1 gdbstub_tests
TEST(CommandTable, IsTheOneInTheDocumentation) {
  const std::string path = std::string(ICECORE_SOURCE_DIR) + "/docs/remote-protocol.md";
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  const std::string text = content.str();
  const std::string begin = "<!-- command table -->\n";
  const std::string end = "<!-- end of the command table -->\n";
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::size_t first = from + begin.size();
  if (std::getenv("ICECORE_UPDATE_DOCS") != nullptr) {
    std::ofstream(path) << text.substr(0, first) << command_table_markdown() << text.substr(to);
    return;
  }
  EXPECT_EQ(text.substr(first, to - first), command_table_markdown());
}

}  // namespace
}  // namespace icecore::gdbstub
