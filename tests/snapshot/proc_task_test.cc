// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "snapshot/proc/auxv.h"
#include "snapshot/proc/limits.h"
#include "snapshot/proc/stat.h"
#include "snapshot/proc/status.h"
#include "snapshot/proc/syscall.h"
#include "snapshot/proc/timers.h"

namespace icecore::snapshot::proc {
namespace {

constexpr const char* kStatTail =
    " S 1 42 43 34816 44 4194304 100 0 2 0 5 7 0 0 20 -3 9 0 258482 3000000 500 "
    "18446744073709551615 94234728345600 94234728363529 140726010108000 "
    "0 0 0 4096 0 0 0 0 0 17 "
    "1 50 2 0 0 0 "
    "94234728377616 94234728378880 94234936320000 140726010112450 140726010112459 "
    "140726010112459 140726010114025 256\n";

TEST(Stat, ReadsTheFieldsBehindTheName) {
  const Stat stat = parse_stat("77 (sleep)" + std::string(kStatTail));
  EXPECT_EQ(stat.pid, 77);
  EXPECT_EQ(stat.name, "sleep");
  EXPECT_EQ(stat.state, 'S');
  EXPECT_EQ(stat.parent, 1);
  EXPECT_EQ(stat.process_group, 42);
  EXPECT_EQ(stat.session, 43);
  EXPECT_EQ(stat.terminal, 34816);
  EXPECT_EQ(stat.foreground_group, 44);
  EXPECT_EQ(stat.user_ticks, 5U);
  EXPECT_EQ(stat.system_ticks, 7U);
  EXPECT_EQ(stat.nice, -3);
  EXPECT_EQ(stat.threads, 9);
  EXPECT_EQ(stat.start_time, 258482U);
  EXPECT_EQ(stat.start_code, 94234728345600U);
  EXPECT_EQ(stat.start_stack, 140726010108000U);
  EXPECT_EQ(stat.cpu, 1);
  EXPECT_EQ(stat.realtime_priority, 50U);
  EXPECT_EQ(stat.policy, 2U);
  EXPECT_EQ(stat.start_brk, 94234936320000U);
  EXPECT_EQ(stat.env_end, 140726010114025U);
  EXPECT_EQ(stat.exit_code, 256);
  EXPECT_FALSE(stat.kernel_thread());
}

TEST(Stat, AcceptsNamesWithBlanksNewlinesAndParentheses) {
  EXPECT_EQ(parse_stat("77 (a) R 1 (b\n))" + std::string(kStatTail)).name, "a) R 1 (b\n)");
  EXPECT_EQ(parse_stat("77 ()" + std::string(kStatTail)).name, "");
}

TEST(Stat, RefusesTextThatIsNone) {
  EXPECT_THROW(parse_stat(""), Error);
  EXPECT_THROW(parse_stat("77 (sleep"), Error);
  EXPECT_THROW(parse_stat("77 )sleep( S"), Error);
  EXPECT_THROW(parse_stat("77 (sleep)"), Error);
}

TEST(Status, ReadsIdsMasksAndCapabilities) {
  const Status status = parse_status(
      "Name:\tx\nUmask:\t0027\nState:\tS (sleeping)\nTgid:\t5\nNgid:\t0\nPid:\t6\nPPid:\t1\n"
      "TracerPid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\nGroups:\t4 24 1000 \n"
      "NStgid:\t5\t2\nNSpid:\t6\t3\nNSpgid:\t5\t2\nNSsid:\t5\t0\nKthread:\t0\nVmPeak:\t 1 kB\n"
      "VmSize:\t 1 kB\nTHP_enabled:\t0\nThreads:\t2\nSigQ:\t0/1\nSigPnd:\t0000000000000001\n"
      "ShdPnd:\t8000000000000000\nSigBlk:\t0000000000000200\nSigIgn:\t0000000000001000\n"
      "SigCgt:\t0000000180000002\nCapInh:\t0000000000000000\nCapPrm:\t000001fffeffffff\n"
      "CapEff:\t0000000000000003\nCapBnd:\t0000000000000007\nCapAmb:\t0000000000000001\n"
      "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\nCpus_allowed:\tff\n"
      "Cpus_allowed_list:\t0-3,8\nvoluntary_ctxt_switches:\t1\n");
  EXPECT_EQ(status.umask, 027U);
  EXPECT_EQ(status.thread_group, 5);
  EXPECT_EQ(status.pid, 6);
  EXPECT_EQ(status.tracer, 9);
  EXPECT_EQ(status.uids, (std::array<unsigned, 4>{1, 2, 3, 4}));
  EXPECT_EQ(status.gids, (std::array<unsigned, 4>{5, 6, 7, 8}));
  EXPECT_EQ(status.groups, (std::vector<unsigned>{4, 24, 1000}));
  EXPECT_EQ(status.namespace_pids, (std::vector<int>{6, 3}));
  EXPECT_EQ(status.namespace_sessions, (std::vector<int>{5, 0}));
  EXPECT_TRUE(status.has_memory);
  EXPECT_FALSE(status.thp_enabled);
  EXPECT_EQ(status.threads, 2);
  EXPECT_EQ(status.pending, 1U);
  EXPECT_EQ(status.shared_pending, 1ULL << 63U);
  EXPECT_EQ(status.blocked, 0x200U);
  EXPECT_EQ(status.ignored, 0x1000U);
  EXPECT_EQ(status.caught, 0x180000002U);
  EXPECT_EQ(status.capabilities_permitted, 0x1fffeffffffU);
  EXPECT_EQ(status.capabilities_ambient, 1U);
  EXPECT_TRUE(status.no_new_privs);
  EXPECT_EQ(status.seccomp_mode, 2U);
  EXPECT_EQ(status.seccomp_filters, 3U);
  EXPECT_EQ(status.cpus_allowed, "0-3,8");
}

TEST(Status, OfAZombieHasNoMemory) {
  const Status status = parse_status("Name:\tx\nTgid:\t5\nPid:\t5\nThreads:\t1\n");
  EXPECT_FALSE(status.has_memory);
  EXPECT_TRUE(status.thp_enabled);
}

TEST(SyscallLine, TellsTheThreeCasesApart) {
  const SyscallLine inside =
      parse_syscall("230 0x1 0x2 0x3 0x4 0x5 0xffffffffffffffff 0x7ffd 0x7f76\n");
  EXPECT_EQ(inside.where, SyscallLine::Where::SystemCall);
  EXPECT_EQ(inside.number, 230);
  EXPECT_EQ(inside.arguments[5], ~0ULL);
  EXPECT_EQ(inside.stack_pointer, 0x7ffdU);
  EXPECT_EQ(inside.program_counter, 0x7f76U);
  const SyscallLine user = parse_syscall("-1 0x7ffd 0x7f76\n");
  EXPECT_EQ(user.where, SyscallLine::Where::UserCode);
  EXPECT_EQ(user.program_counter, 0x7f76U);
  EXPECT_EQ(parse_syscall("running\n").where, SyscallLine::Where::Running);
}

TEST(Limits, ReadsNumbersAndUnlimited) {
  const auto limits = parse_limits(
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max cpu time              unlimited            unlimited            seconds   \n"
      "Max nice priority         0                    20                   \n");
  ASSERT_EQ(limits.size(), 2U);
  EXPECT_EQ(limits[0].name, "Max cpu time");
  EXPECT_EQ(limits[0].soft, ~0ULL);
  EXPECT_EQ(limits[1].name, "Max nice priority");
  EXPECT_EQ(limits[1].hard, 20U);
}

TEST(Timers, ReadsEachTimer) {
  const auto timers = parse_timers(
      "ID: 1\nsignal: 60/00007fff86e452a8\nnotify: signal/pid.2634\nClockID: 0\n"
      "ID: 12345\nsignal: 14/0000000000000002\nnotify: none/tid.9\nClockID: 1\n");
  ASSERT_EQ(timers.size(), 2U);
  EXPECT_EQ(timers[0].signal, 60);
  EXPECT_EQ(timers[0].value_pointer, 0x7fff86e452a8U);
  EXPECT_EQ(timers[0].notify, "signal/pid.2634");
  EXPECT_EQ(timers[1].id, 12345);
  EXPECT_EQ(timers[1].clock, 1);
}

TEST(Auxv, FindsAnEntryAndStopsAtTheEnd) {
  const std::uint64_t entries[] = {6, 4096, 25, 0x7ffd, 0, 0, 7, 1};
  const std::string_view bytes(reinterpret_cast<const char*>(entries), sizeof entries);
  EXPECT_EQ(auxv_value(bytes, 25), 0x7ffdU);
  EXPECT_EQ(auxv_value(bytes, 7), std::nullopt);
  EXPECT_EQ(auxv_value(bytes.substr(0, 20), 25), std::nullopt);
}

}  // namespace
}  // namespace icecore::snapshot::proc
