// SPDX-License-Identifier: Apache-2.0
#include "replay/record/syscall_table.h"

#include <sys/syscall.h>

#include <algorithm>

namespace icecore::replay {
namespace {

constexpr Output fixed(int argument, int bytes) {
  return {Extent::Fixed, static_cast<std::uint8_t>(argument), 0, static_cast<std::uint16_t>(bytes)};
}
constexpr Output result(int argument, int unit = 1) {
  return {Extent::Result, static_cast<std::uint8_t>(argument), 0, static_cast<std::uint16_t>(unit)};
}
constexpr Output count(int argument, int other, int unit) {
  return {Extent::Count, static_cast<std::uint8_t>(argument), static_cast<std::uint8_t>(other),
          static_cast<std::uint16_t>(unit)};
}
constexpr Output length(int argument, int other) {
  return {Extent::Length, static_cast<std::uint8_t>(argument), static_cast<std::uint8_t>(other), 1};
}
constexpr Output bits(int argument) {
  return {Extent::Bits, static_cast<std::uint8_t>(argument), 0, 8};
}
constexpr Output vector(int argument, int other) {
  return {Extent::Vector, static_cast<std::uint8_t>(argument), static_cast<std::uint8_t>(other), 1};
}
constexpr Output message(int argument) {
  return {Extent::Message, static_cast<std::uint8_t>(argument), 0, 1};
}
constexpr Output messages(int argument) {
  return {Extent::Messages, static_cast<std::uint8_t>(argument), 0, 1};
}
constexpr Output pages(int argument, int other) {
  return {Extent::Pages, static_cast<std::uint8_t>(argument), static_cast<std::uint8_t>(other), 1};
}

constexpr SyscallRow writes(std::int64_t number, Output one = {}, Output two = {},
                            Output three = {}, Output four = {}) {
  return {number, Treatment::Outputs, {one, two, three, four}};
}
constexpr SyscallRow layout(std::int64_t number) { return {number, Treatment::Layout, {}}; }
constexpr SyscallRow ends(std::int64_t number) { return {number, Treatment::Ends, {}}; }
constexpr SyscallRow irregular(std::int64_t number) { return {number, Treatment::Irregular, {}}; }

// Sizes of the kernel's structs, which do not change: they are its interface.
constexpr int kStat = 144;
constexpr int kTimespec = 16;
constexpr int kUsage = 144;
constexpr int kSiginfo = 128;

constexpr std::array kRows{
    writes(SYS_read, result(1)),
    writes(SYS_write),
    writes(SYS_open),
    writes(SYS_close),
    writes(SYS_stat, fixed(1, kStat)),
    writes(SYS_fstat, fixed(1, kStat)),
    writes(SYS_lstat, fixed(1, kStat)),
    writes(SYS_poll, count(0, 1, 8)),
    writes(SYS_lseek),
    irregular(SYS_mmap),
    layout(SYS_mprotect),
    layout(SYS_munmap),
    layout(SYS_brk),
    writes(SYS_rt_sigaction, fixed(2, 32)),
    writes(SYS_rt_sigprocmask, fixed(2, 8)),
    SyscallRow{SYS_rt_sigreturn, Treatment::SignalReturn, {}},
    irregular(SYS_ioctl),
    writes(SYS_pread64, result(1)),
    writes(SYS_pwrite64),
    writes(SYS_readv, vector(1, 2)),
    writes(SYS_writev),
    writes(SYS_access),
    writes(SYS_pipe, fixed(0, 8)),
    writes(SYS_select, bits(1), bits(2), bits(3), fixed(4, kTimespec)),
    writes(SYS_sched_yield),
    layout(SYS_mremap),
    writes(SYS_msync),
    writes(SYS_mincore, pages(2, 1)),
    irregular(SYS_madvise),
    writes(SYS_shmget),
    ends(SYS_shmat),
    writes(SYS_dup),
    writes(SYS_dup2),
    writes(SYS_pause),
    writes(SYS_nanosleep, fixed(1, kTimespec)),
    writes(SYS_getitimer, fixed(1, 32)),
    writes(SYS_alarm),
    writes(SYS_setitimer, fixed(2, 32)),
    writes(SYS_getpid),
    writes(SYS_sendfile, fixed(2, 8)),
    writes(SYS_socket),
    writes(SYS_connect),
    writes(SYS_accept, length(1, 2), fixed(2, 4)),
    writes(SYS_sendto),
    writes(SYS_recvfrom, result(1), length(4, 5), fixed(5, 4)),
    writes(SYS_sendmsg),
    writes(SYS_recvmsg, message(1)),
    writes(SYS_shutdown),
    writes(SYS_bind),
    writes(SYS_listen),
    writes(SYS_getsockname, length(1, 2), fixed(2, 4)),
    writes(SYS_getpeername, length(1, 2), fixed(2, 4)),
    writes(SYS_socketpair, fixed(3, 8)),
    writes(SYS_setsockopt),
    writes(SYS_getsockopt, length(3, 4), fixed(4, 4)),
    irregular(SYS_clone),
    writes(SYS_fork),
    SyscallRow{SYS_vfork, Treatment::Compared, {}},
    // Neither comes back, unless it fails: then only its result was kept.
    writes(SYS_execve),
    writes(SYS_exit),
    writes(SYS_wait4, fixed(1, 4), fixed(3, kUsage)),
    writes(SYS_kill),
    writes(SYS_uname, fixed(0, 390)),
    writes(SYS_semget),
    writes(SYS_semop),
    writes(SYS_shmdt),
    writes(SYS_msgget),
    writes(SYS_msgsnd),
    writes(SYS_flock),
    writes(SYS_fsync),
    writes(SYS_fdatasync),
    writes(SYS_truncate),
    writes(SYS_ftruncate),
    writes(SYS_getdents, result(1)),
    writes(SYS_getcwd, result(0)),
    writes(SYS_chdir),
    writes(SYS_fchdir),
    writes(SYS_rename),
    writes(SYS_mkdir),
    writes(SYS_rmdir),
    writes(SYS_creat),
    writes(SYS_link),
    writes(SYS_unlink),
    writes(SYS_symlink),
    writes(SYS_readlink, result(1)),
    writes(SYS_chmod),
    writes(SYS_fchmod),
    writes(SYS_chown),
    writes(SYS_fchown),
    writes(SYS_lchown),
    writes(SYS_umask),
    writes(SYS_gettimeofday, fixed(0, 16), fixed(1, 8)),
    writes(SYS_getrlimit, fixed(1, 16)),
    writes(SYS_getrusage, fixed(1, kUsage)),
    writes(SYS_sysinfo, fixed(0, 112)),
    writes(SYS_times, fixed(0, 32)),
    ends(SYS_ptrace),
    writes(SYS_getuid),
    writes(SYS_getgid),
    writes(SYS_setuid),
    writes(SYS_setgid),
    writes(SYS_geteuid),
    writes(SYS_getegid),
    writes(SYS_setpgid),
    writes(SYS_getppid),
    writes(SYS_getpgrp),
    writes(SYS_setsid),
    writes(SYS_setreuid),
    writes(SYS_setregid),
    writes(SYS_getgroups, result(1, 4)),
    writes(SYS_setgroups),
    writes(SYS_setresuid),
    writes(SYS_getresuid, fixed(0, 4), fixed(1, 4), fixed(2, 4)),
    writes(SYS_setresgid),
    writes(SYS_getresgid, fixed(0, 4), fixed(1, 4), fixed(2, 4)),
    writes(SYS_getpgid),
    writes(SYS_setfsuid),
    writes(SYS_setfsgid),
    writes(SYS_getsid),
    writes(SYS_rt_sigpending, fixed(0, 8)),
    writes(SYS_rt_sigtimedwait, fixed(1, kSiginfo)),
    writes(SYS_rt_sigqueueinfo),
    writes(SYS_rt_sigsuspend),
    writes(SYS_sigaltstack, fixed(1, 24)),
    writes(SYS_utime),
    writes(SYS_mknod),
    writes(SYS_statfs, fixed(1, 120)),
    writes(SYS_fstatfs, fixed(1, 120)),
    writes(SYS_getpriority),
    writes(SYS_setpriority),
    writes(SYS_sched_setparam),
    writes(SYS_sched_getparam, fixed(1, 4)),
    writes(SYS_sched_setscheduler),
    writes(SYS_sched_getscheduler),
    writes(SYS_mlock),
    writes(SYS_munlock),
    irregular(SYS_prctl),
    irregular(SYS_arch_prctl),
    writes(SYS_setrlimit),
    writes(SYS_chroot),
    writes(SYS_sync),
    writes(SYS_gettid),
    writes(SYS_getxattr, result(2)),
    writes(SYS_lgetxattr, result(2)),
    writes(SYS_fgetxattr, result(2)),
    writes(SYS_listxattr, result(1)),
    writes(SYS_llistxattr, result(1)),
    writes(SYS_flistxattr, result(1)),
    writes(SYS_tkill),
    writes(SYS_time, fixed(0, 8)),
    writes(SYS_futex, fixed(0, 4)),
    writes(SYS_sched_setaffinity),
    writes(SYS_sched_getaffinity, result(2)),
    ends(SYS_io_setup),
    ends(SYS_io_submit),
    writes(SYS_epoll_create),
    ends(SYS_remap_file_pages),
    writes(SYS_getdents64, result(1)),
    writes(SYS_set_tid_address),
    writes(SYS_fadvise64),
    writes(SYS_timer_create, fixed(2, 4)),
    writes(SYS_timer_settime, fixed(3, 32)),
    writes(SYS_timer_gettime, fixed(1, 32)),
    writes(SYS_timer_getoverrun),
    writes(SYS_timer_delete),
    writes(SYS_clock_settime),
    writes(SYS_clock_gettime, fixed(1, kTimespec)),
    writes(SYS_clock_getres, fixed(1, kTimespec)),
    writes(SYS_clock_nanosleep, fixed(3, kTimespec)),
    writes(SYS_exit_group),
    writes(SYS_epoll_wait, result(1, 12)),
    writes(SYS_epoll_ctl),
    writes(SYS_tgkill),
    writes(SYS_utimes),
    writes(SYS_mbind),
    writes(SYS_waitid, fixed(2, kSiginfo), fixed(4, kUsage)),
    writes(SYS_inotify_init),
    writes(SYS_inotify_add_watch),
    writes(SYS_inotify_rm_watch),
    writes(SYS_openat),
    writes(SYS_mkdirat),
    writes(SYS_mknodat),
    writes(SYS_fchownat),
    writes(SYS_newfstatat, fixed(2, kStat)),
    writes(SYS_unlinkat),
    writes(SYS_renameat),
    writes(SYS_linkat),
    writes(SYS_symlinkat),
    writes(SYS_readlinkat, result(2)),
    writes(SYS_fchmodat),
    writes(SYS_faccessat),
    writes(SYS_pselect6, bits(1), bits(2), bits(3), fixed(4, kTimespec)),
    writes(SYS_ppoll, count(0, 1, 8), fixed(2, kTimespec)),
    writes(SYS_set_robust_list),
    writes(SYS_get_robust_list, fixed(1, 8), fixed(2, 8)),
    writes(SYS_splice, fixed(1, 8), fixed(3, 8)),
    writes(SYS_tee),
    writes(SYS_vmsplice),
    writes(SYS_utimensat),
    writes(SYS_epoll_pwait, result(1, 12)),
    writes(SYS_signalfd),
    writes(SYS_timerfd_create),
    writes(SYS_eventfd),
    writes(SYS_fallocate),
    writes(SYS_timerfd_settime, fixed(3, 32)),
    writes(SYS_timerfd_gettime, fixed(1, 32)),
    writes(SYS_accept4, length(1, 2), fixed(2, 4)),
    writes(SYS_signalfd4),
    writes(SYS_eventfd2),
    writes(SYS_epoll_create1),
    writes(SYS_dup3),
    writes(SYS_pipe2, fixed(0, 8)),
    writes(SYS_inotify_init1),
    writes(SYS_preadv, vector(1, 2)),
    writes(SYS_pwritev),
    writes(SYS_rt_tgsigqueueinfo),
    writes(SYS_recvmmsg, messages(1), fixed(4, kTimespec)),
    writes(SYS_prlimit64, fixed(3, 16)),
    writes(SYS_syncfs),
    writes(SYS_getcpu, fixed(0, 4), fixed(1, 4)),
    writes(SYS_process_vm_readv, vector(1, 2)),
    writes(SYS_sched_setattr),
    writes(SYS_renameat2),
    writes(SYS_getrandom, result(0)),
    writes(SYS_memfd_create),
    writes(SYS_execveat),
    ends(SYS_userfaultfd),
    writes(SYS_membarrier),
    writes(SYS_copy_file_range, fixed(1, 8), fixed(3, 8)),
    writes(SYS_preadv2, vector(1, 2)),
    writes(SYS_pwritev2),
    layout(SYS_pkey_mprotect),
    writes(SYS_statx, fixed(4, 256)),
    layout(SYS_rseq),
    writes(SYS_pidfd_send_signal),
    ends(SYS_io_uring_setup),
    ends(SYS_io_uring_enter),
    ends(SYS_io_uring_register),
    writes(SYS_pidfd_open),
    irregular(SYS_clone3),
    writes(SYS_close_range),
    writes(SYS_openat2),
    writes(SYS_faccessat2),
    writes(SYS_epoll_pwait2, result(1, 12)),
};
static_assert(std::ranges::is_sorted(kRows, {}, &SyscallRow::number));

constexpr SyscallRow kUnknown{-1, Treatment::Compared, {}};

}  // namespace

const SyscallRow& find_syscall_row(std::int64_t number) {
  const auto* row = std::ranges::lower_bound(kRows, number, {}, &SyscallRow::number);
  return row != kRows.end() && row->number == number ? *row : kUnknown;
}

}  // namespace icecore::replay
