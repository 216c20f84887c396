// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "replay/image/cgroups.h"

namespace icecore::replay {
namespace {

namespace fs = std::filesystem;

/// The version 2 hierarchy of this machine, a controller that it has, and two cgroups in it.
class CgroupsOfVersion2 : public testing::Test {
 protected:
  void SetUp() override {
    mount_ = cgroup_directory(own_mounts(), "", "/");
    if (mount_.empty()) GTEST_SKIP() << "needs a cgroup2 file system";
    if (!(std::ifstream(mount_ + "/cgroup.controllers") >> controller_)) {
      GTEST_SKIP() << "needs a controller that no hierarchy of version 1 has";
    }
    std::ifstream passed(mount_ + "/cgroup.subtree_control");
    for (std::string word; passed >> word;) was_passed_on_ |= word == controller_;
    for (const auto& directory : {outer_(), inner_()}) {
      if (::mkdir(directory.c_str(), 0755) != 0) GTEST_SKIP() << "needs the right to make cgroups";
    }
  }
  void TearDown() override {
    if (mount_.empty() || controller_.empty()) return;
    ::rmdir(inner_().c_str());
    ::rmdir(outer_().c_str());
    if (!was_passed_on_) write_cgroup_file(mount_ + "/cgroup.subtree_control", "-" + controller_);
  }
  [[nodiscard]] std::string outer_() const {
    return mount_ + "/icecore-test-" + std::to_string(::getpid());
  }
  [[nodiscard]] std::string inner_() const { return outer_() + "/inner"; }

  std::string mount_;
  std::string controller_;
  bool was_passed_on_ = false;
};

TEST_F(CgroupsOfVersion2, AnEmptyOnePassesAControllerOnAndItsChildrenHaveIt) {
  const auto top = parent_with(mount_, mount_, controller_);
  EXPECT_EQ(top.error, 0);
  EXPECT_EQ(top.directory, mount_);
  const auto parent = parent_with(outer_(), mount_, controller_);
  EXPECT_EQ(parent.error, 0);
  EXPECT_EQ(parent.directory, outer_());
  std::string had;
  std::ifstream(inner_() + "/cgroup.controllers") >> had;
  EXPECT_EQ(had, controller_);
}

TEST_F(CgroupsOfVersion2, OneWithProcessesCannotSoThatItsParentDoes) {
  ASSERT_EQ(parent_with(mount_, mount_, controller_).error, 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  EXPECT_EQ(write_cgroup_file(inner_() + "/cgroup.procs", std::to_string(child)), 0);
  EXPECT_EQ(parent_with(inner_(), mount_, controller_).directory, outer_());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(CgroupsOfVersion2, WhatNobodyHasIsRefused) {
  const auto none = parent_with(outer_(), mount_, "no-such-controller");
  EXPECT_NE(none.error, 0);
  EXPECT_EQ(none.directory, "");
}

}  // namespace
}  // namespace icecore::replay
