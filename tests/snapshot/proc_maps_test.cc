// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <string>

#include "base/error.h"
#include "snapshot/proc/maps.h"
#include "snapshot/proc/smaps.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {
namespace {

TEST(Maps, ReadsEveryColumn) {
  const auto lines = parse_maps(
      "55b4bb820000-55b4bb822000 r--p 00002000 fe:00 248056                     /usr/bin/a b\n"
      "7ffd53d45000-7ffd53d66000 rw-s 00000000 00:01 7                          /dev/zero "
      "(deleted)\n"
      "7ffd53d70000-7ffd53d71000 ---p 00000000 00:00 0 \n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].start, 0x55b4bb820000U);
  EXPECT_EQ(lines[0].end, 0x55b4bb822000U);
  EXPECT_TRUE(lines[0].readable);
  EXPECT_FALSE(lines[0].writable || lines[0].executable || lines[0].shared);
  EXPECT_EQ(lines[0].offset, 0x2000U);
  EXPECT_EQ(lines[0].device, makedev(0xfe, 0));
  EXPECT_EQ(lines[0].inode, 248056U);
  EXPECT_EQ(lines[0].name, "/usr/bin/a b");
  EXPECT_TRUE(lines[1].shared && lines[1].writable);
  EXPECT_EQ(lines[1].name, "/dev/zero (deleted)");
  EXPECT_EQ(lines[2].name, "");
  EXPECT_TRUE(lines[3].executable);
  EXPECT_EQ(lines[3].end, 0xffffffffff601000U);
}

TEST(Maps, RefusesLinesThatAreNone) {
  for (const char* line :
       {"", "garbage", "1000", "1000-2000", "1000-2000 r--p", "2000-1000 r--p 0 0:0 0 ",
        "1000-2000 r--p xyz 00:00 0 ", "1000-2000 r--p 00000000 00:00 ", "1000-2000 r--p 0 00 1"}) {
    EXPECT_THROW(parse_maps_line(line), Error) << line;
  }
}

TEST(Maps, CutsOffTheMarkOfADeletedFileOnce) {
  std::string_view name = "/x (deleted) (deleted)";
  EXPECT_TRUE(take_deleted(name));
  EXPECT_EQ(name, "/x (deleted)");
  name = "/x";
  EXPECT_FALSE(take_deleted(name));
}

TEST(Smaps, ReadsFlagsAndPageSizeOfEachMapping) {
  const auto entries = parse_smaps(
      "7f0000000000-7f0000200000 rw-s 00000000 00:0f 1   /anon_hugepage (deleted)\n"
      "Size:               2048 kB\nKernelPageSize:     2048 kB\nMMUPageSize:     2048 kB\n"
      "VmFlags: rd wr sh mr mw me ms de ht dd \n"
      "7f0000300000-7f0000301000 r--p 00000000 00:00 0 \nSize: 4 kB\nKernelPageSize:        4 kB\n"
      "VmFlags: rd mr \n");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].start, 0x7f0000000000U);
  EXPECT_EQ(entries[0].page_size, 2U << 20U);
  EXPECT_EQ(entries[0].flags, "rd wr sh mr mw me ms de ht dd");
  EXPECT_EQ(entries[1].page_size, 4096U);
  EXPECT_TRUE(has_vm_flag(entries[0].flags, "dd"));
  EXPECT_TRUE(has_vm_flag(entries[0].flags, "rd"));
  EXPECT_FALSE(has_vm_flag(entries[1].flags, "dd"));
}

TEST(Text, UndoesOctalEscapesOnly) {
  EXPECT_EQ(unescape_octal("a\\040b\\134\\012"), "a b\\\n");
  EXPECT_EQ(unescape_octal("\\9\\04"), "\\9\\04");
  EXPECT_EQ(unescape_octal("\\777"), "\\777");
}

}  // namespace
}  // namespace icecore::snapshot::proc
