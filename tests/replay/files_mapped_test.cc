// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "replay/files/mapped_file.h"
#include "tests/replay/recorded_victim.h"

namespace icecore::replay {
namespace {

class MappedFile : public ::testing::Test {
 protected:
  MappedFile() {
    recorded_.snap();
    surroundings_.root = root_.get();
  }

  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  const model::Process& process() const { return recorded_.model().processes(0); }
  const model::Mapping& mapping(const std::string& name) const {
    for (const auto& each : process().mappings()) {
      if (each.name() == path(name)) return each;
    }
    throw std::runtime_error(name + " is not mapped");
  }
  UniqueFd open(const std::string& name) {
    return open_mapped_file(recorded_.stored(), mapping(name), surroundings_, false, {});
  }
  static std::string content(const UniqueFd& fd) {
    std::array<char, 4096> text{};
    const ssize_t got = ::pread(fd.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(got)};
  }
  static std::string link(const UniqueFd& fd) {
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd.get()));
  }
  static ino_t inode(const UniqueFd& fd) {
    struct stat status {};
    ::fstat(fd.get(), &status);
    return status.st_ino;
  }
  void replace(const std::string& name, const std::string& text) {
    std::ofstream(path("new")) << text;
    std::filesystem::rename(path("new"), path(name));
  }

  icecore::test::TempDirectory directory_;
  test::RecordedVictim recorded_{"files_mapped", {directory_.path().string()}};
  UniqueFd root_{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  Surroundings surroundings_;
};

TEST_F(MappedFile, IsTheOneAtItsPathWhileThatIsUnchanged) {
  EXPECT_EQ(inode(open("kept")), mapping("kept").inode());
}

TEST_F(MappedFile, IsTheOneAtItsPathWhenOnlyItsTimesChanged) {
  ASSERT_EQ(::utimensat(AT_FDCWD, path("kept").c_str(), nullptr, 0), 0);
  EXPECT_EQ(inode(open("kept")), mapping("kept").inode());
}

TEST_F(MappedFile, ComesFromTheStoreWhenItWasReplaced) {
  replace("kept", "something else");
  const UniqueFd fd = open("kept");
  EXPECT_EQ(content(fd), "content of " + path("kept"));
  EXPECT_EQ(inode(fd), inode(open("kept"))) << "two mappings of one file";
}

TEST_F(MappedFile, ComesFromTheStoreWhenItWasWrittenInPlace) {
  std::ofstream(path("kept"), std::ios::in) << "Content";
  EXPECT_EQ(content(open("kept")), "content of " + path("kept"));
}

TEST_F(MappedFile, KeepsItsNameWhenItWasDeleted) {
  const UniqueFd fd = open("gone");
  EXPECT_EQ(content(fd), "content of " + path("gone"));
  EXPECT_EQ(link(fd), path("gone") + " (deleted)");
  EXPECT_FALSE(std::filesystem::exists(path("gone")));
}

TEST_F(MappedFile, LeavesAFileAloneThatHasTheNameOfADeletedOne) {
  std::ofstream(path("gone")) << "new";
  EXPECT_EQ(content(open("gone")), "content of " + path("gone"));
  EXPECT_EQ(std::filesystem::file_size(path("gone")), 3U);
}

TEST_F(MappedFile, OfAProgramIsItsExecutable) {
  const UniqueFd fd = open_executable(recorded_.stored(), process(), surroundings_);
  EXPECT_EQ(link(fd), process().executable());
}

TEST_F(MappedFile, SharedIsOpenedForWriting) {
  const UniqueFd fd =
      open_mapped_file(recorded_.stored(), mapping("shared"), surroundings_, true, {});
  EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_ACCMODE, O_RDWR);
  EXPECT_EQ(inode(fd), mapping("shared").inode());
}

TEST_F(MappedFile, CheckSaysNothingWhenTheStoreHasAll) {
  replace("kept", "something else");
  EXPECT_TRUE(check_mapped_files(recorded_.stored(), {}).empty());
}

TEST_F(MappedFile, ADeletedWorkingDirectoryComesBackDeleted) {
  const UniqueFd fd = open_working_directory(process(), surroundings_);
  EXPECT_EQ(link(fd), path("working") + " (deleted)");
  EXPECT_FALSE(std::filesystem::exists(path("working")));
}

}  // namespace
}  // namespace icecore::replay
