// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "snapshot/capture/limitations.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/proc/smaps.h"
#include "tests/support/victim.h"

namespace icecore::snapshot {
namespace {

using model::Mapping;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CaptureMappings : public ::testing::Test {
 protected:
  CaptureMappings() {
    std::istringstream words(victim_.greeting());
    for (std::string word; words >> word;) {
      const auto equals = word.find('=');
      told_[word.substr(0, equals)] = std::stoull(word.substr(equals + 1), nullptr, 16);
    }
    process_.set_pid(victim_.pid());
    const auto directory = ProcDirectory::open(victim_.pid());
    capture_mappings(*directory, process_);
    before_flags_ = process_;
    capture_mapping_flags(*directory, process_);
  }

  static const Mapping* at(const model::Process& process, std::uint64_t address) {
    for (const Mapping& mapping : process.mappings()) {
      if (mapping.start() == address) return &mapping;
    }
    return nullptr;
  }
  const Mapping& mapping(const std::string& name) const {
    const Mapping* found = at(process_, told_.at(name));
    if (found == nullptr) throw std::runtime_error("no mapping for " + name);
    return *found;
  }

  test::Victim victim_{"capture_mappings"};
  std::map<std::string, std::uint64_t> told_;
  model::Process before_flags_;
  model::Process process_;
};

TEST_F(CaptureMappings, HoldsProtectionSharingAndNames) {
  EXPECT_TRUE(mapping("private").readable() && mapping("private").writable());
  EXPECT_FALSE(mapping("private").shared());
  EXPECT_EQ(mapping("private").end() - mapping("private").start(), 16 * 4096U);
  EXPECT_FALSE(mapping("none").readable());
  EXPECT_TRUE(mapping("shared").shared());
  EXPECT_EQ(mapping("shared").name(), "/dev/zero");
  EXPECT_TRUE(mapping("shared").deleted());
  EXPECT_EQ(mapping("memfd").name(), "/memfd:victim mem");
  EXPECT_THAT(mapping("sysv").name(), StartsWith("/SYSV"));
  EXPECT_THAT(mapping("deleted").name(), StartsWith("/tmp/icecore\nvictim-"));
  EXPECT_TRUE(mapping("deleted").deleted());
  EXPECT_NE(mapping("deleted").inode(), 0U);
}

TEST_F(CaptureMappings, ReadsFlagsOnlyInTheSlowPart) {
  for (const Mapping& fast : before_flags_.mappings()) EXPECT_EQ(fast.flags(), "");
  for (const Mapping& full : process_.mappings()) EXPECT_NE(full.flags(), "") << full.name();
  EXPECT_TRUE(proc::has_vm_flag(mapping("private").flags(), "wr"));
  EXPECT_EQ(before_flags_.mappings_size(), process_.mappings_size());
}

TEST_F(CaptureMappings, MarksWhatCannotBeReadOrWasNotToBe) {
  for (const Mapping& found : process_.mappings()) {
    if (found.name() == "[vvar]" || found.name() == "[vsyscall]") {
      EXPECT_EQ(found.content(), Mapping::KERNEL) << found.name();
    }
    if (found.name() == "[vdso]") {
      EXPECT_EQ(found.content(), Mapping::HELD);
    }
  }
  EXPECT_EQ(at(before_flags_, told_.at("undumped"))->content(), Mapping::HELD);
  EXPECT_EQ(mapping("undumped").content(), Mapping::NOT_HELD);
  EXPECT_EQ(mapping("private").content(), Mapping::HELD);
}

TEST_F(CaptureMappings, KnowsSecretMemoryWithoutReadingFlags) {
  if (!told_.contains("secret")) GTEST_SKIP() << "needs memfd_secret (secretmem.enable=1)";
  EXPECT_EQ(at(before_flags_, told_.at("secret"))->content(), Mapping::NOT_HELD);
}

TEST_F(CaptureMappings, FindsGuardRegions) {
  if (!told_.contains("guarded")) GTEST_SKIP() << "needs MADV_GUARD_INSTALL (Linux 6.13)";
  const std::uint64_t start = told_.at("guarded");
  EXPECT_THAT(mapping("guarded").guards(), ElementsAre(start + 3 * 4096, start + 5 * 4096));
  EXPECT_TRUE(mapping("private").guards().empty());
}

TEST_F(CaptureMappings, ListsWhatIsNotHeldWithItsReason) {
  model::Snapshot snapshot;
  *snapshot.add_processes() = process_;
  list_limitations(snapshot);
  ASSERT_GE(snapshot.limitations_size(), 1);
  bool told = false;
  for (const auto& limitation : snapshot.limitations()) {
    EXPECT_EQ(limitation.effect(), model::Limitation::INCOMPLETE);
    if (limitation.object() != "mapping " + mapping_range(mapping("undumped"))) continue;
    EXPECT_THAT(limitation.reason(), HasSubstr("MADV_DONTDUMP"));
    told = true;
  }
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace icecore::snapshot
