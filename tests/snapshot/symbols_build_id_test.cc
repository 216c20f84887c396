// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "snapshot/symbols/build_id.h"
#include "tests/snapshot/live_image.h"

namespace icecore::symbols {
namespace {

using test::LiveImage;
using test::LiveVictim;

UniqueFd open_file(const std::string& path) { return UniqueFd(::open(path.c_str(), O_RDONLY)); }

// A copy of a victim whose debug information lies in a file of its own, found by debug link only.
class SplitVictim : public testing::Test {
 protected:
  SplitVictim() {
    std::string pattern = testing::TempDir() + "icecore-split-XXXXXX";
    directory = ::mkdtemp(pattern.data());
    program = directory + "/program";
    const std::string victim = LiveVictim::path("symbols_frames");
    run("objcopy --remove-section=.note.gnu.build-id " + victim + " " + program);
    run("objcopy --only-keep-debug " + program + " " + directory + "/program.dbg");
    run("cd " + directory + " && objcopy --strip-debug --add-gnu-debuglink=program.dbg program");
  }
  ~SplitVictim() override { std::filesystem::remove_all(directory); }
  static void run(const std::string& command) {
    ASSERT_EQ(std::system(("(" + command + ") 2>/dev/null").c_str()), 0);
  }

  std::string directory;
  std::string program;
};

TEST(BuildId, IsTheSameInTheFileAndInMemory) {
  LiveVictim victim("symbols_frames");
  const LiveImage image(victim.pid());
  const std::string id = read_build_id(open_file(LiveVictim::path("symbols_frames")).get());
  EXPECT_EQ(id.size(), 40U);
  EXPECT_EQ(read_build_id(image, image.process().mappings(0).start()), id);
  EXPECT_EQ(build_id_bytes(id).size(), 20U);
}

TEST(BuildId, IsEmptyForWhatIsNoElfFile) {
  EXPECT_EQ(read_build_id(open_file("/etc/passwd").get()), "");
  EXPECT_EQ(read_build_id(open_file("/dev/null").get()), "");
  EXPECT_EQ(read_build_id(-1), "");
}

TEST(BuildId, RejectsWhatIsNoHexNumber) {
  EXPECT_THROW(build_id_bytes("0g"), Error);
  EXPECT_THROW(build_id_bytes("012"), Error);
  EXPECT_THROW(build_id_bytes("+1"), Error);
  EXPECT_EQ(build_id_bytes("00ff"), (std::vector{std::byte{0}, std::byte{0xff}}));
}

TEST_F(SplitVictim, IsFoundByItsDebugLink) {
  const UniqueFd fd = open_file(program);
  EXPECT_EQ(read_build_id(fd.get()), "");
  EXPECT_EQ(debug_file_candidates(fd.get(), program),
            (std::vector<std::string>{directory + "/program.dbg", directory + "/.debug/program.dbg",
                                      "/usr/lib/debug" + directory + "/program.dbg"}));
  EXPECT_EQ(find_debug_file(fd.get(), program).path, directory + "/program.dbg");
}

TEST_F(SplitVictim, IsNotFoundWhenTheDebugFileIsAnother) {
  std::ofstream(directory + "/program.dbg", std::ios::app) << "x";
  EXPECT_FALSE(find_debug_file(open_file(program).get(), program).fd.valid());
}

TEST_F(SplitVictim, IsFoundByItsBuildIdFirst) {
  const std::string victim = LiveVictim::path("symbols_frames");
  const std::string id = read_build_id(open_file(victim).get());
  const std::string below = directory + "/.build-id/" + id.substr(0, 2);
  std::filesystem::create_directories(below);
  const std::string debug_file = below + "/" + id.substr(2) + ".debug";
  run("objcopy --only-keep-debug " + victim + " " + debug_file);
  EXPECT_EQ(find_debug_file(open_file(victim).get(), victim, directory).path, debug_file);
  run("objcopy --only-keep-debug " + program + " " + debug_file);
  EXPECT_EQ(find_debug_file(open_file(victim).get(), victim, directory).path, "");
}

}  // namespace
}  // namespace icecore::symbols
