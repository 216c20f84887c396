// SPDX-License-Identifier: Apache-2.0
#include "replay/record/syscall_rules.h"

#include <asm/prctl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace icecore::replay {
namespace {

SyscallRow fixed_output(std::int64_t number, int argument, std::size_t bytes) {
  SyscallRow row{number, Treatment::Outputs, {}};
  row.outputs[0] = {Extent::Fixed, static_cast<std::uint8_t>(argument), 0,
                    static_cast<std::uint16_t>(bytes)};
  return row;
}

SyscallRow treated(std::int64_t number, Treatment treatment) { return {number, treatment, {}}; }

/// What is shared and writable changes by other hands, and a copy of the process would change it.
SyscallRow mmap_row(const RecordedCall& call) {
  const std::uint64_t protection = call.arguments[2];
  const std::uint64_t flags = call.arguments[3];
  const bool shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
  const bool ends = shared && (protection & PROT_WRITE) != 0 && call.result >= 0;
  return treated(call.number, ends ? Treatment::Ends : Treatment::Layout);
}

SyscallRow madvise_row(const RecordedCall& call) {
  switch (call.arguments[2]) {
    case MADV_DONTNEED:
    case MADV_REMOVE:
      return treated(call.number, Treatment::Layout);
    case MADV_DONTFORK:
    case MADV_WIPEONFORK:
      return treated(call.number, Treatment::Ends);
    default:
      // MADV_FREE too: while the kernel has not taken the pages, they keep what they hold.
      return treated(call.number, Treatment::Outputs);
  }
}

SyscallRow ioctl_row(const RecordedCall& call) {
  const auto request = static_cast<unsigned>(call.arguments[1]);
  switch (request) {
    case TCGETS:
      return fixed_output(call.number, 2, 36);
    case TIOCGWINSZ:
      return fixed_output(call.number, 2, sizeof(winsize));
    case TIOCGPGRP:
    case TIOCGSID:
    case FIONREAD:
    case TIOCOUTQ:
      return fixed_output(call.number, 2, sizeof(int));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TIOCSPGRP:
    case TIOCSWINSZ:
    case FIONBIO:
    case FIOASYNC:
    case FIOCLEX:
    case FIONCLEX:
      return treated(call.number, Treatment::Outputs);
    default:
      // The number may say direction and size, but not what the struct points to.
      return treated(call.number, Treatment::Compared);
  }
}

SyscallRow prctl_row(const RecordedCall& call) {
  switch (static_cast<int>(call.arguments[0])) {
    case PR_SET_NAME:
    case PR_SET_DUMPABLE:
    case PR_GET_DUMPABLE:
    case PR_SET_PDEATHSIG:
    case PR_SET_NO_NEW_PRIVS:
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_VMA:
    case PR_CAPBSET_READ:
    case PR_SET_CHILD_SUBREAPER:
    case PR_SET_KEEPCAPS:
    case PR_SET_TIMERSLACK:
    case PR_GET_SECCOMP:
      return treated(call.number, Treatment::Outputs);
    case PR_GET_NAME:
      return fixed_output(call.number, 1, 16);
    default:
      return treated(call.number, Treatment::Compared);
  }
}

SyscallRow arch_prctl_row(const RecordedCall& call) {
  const auto code = static_cast<int>(call.arguments[0]);
  if (code == ARCH_GET_FS || code == ARCH_GET_GS) return fixed_output(call.number, 1, 8);
  if (code == ARCH_SET_FS || code == ARCH_SET_GS) return treated(call.number, Treatment::Layout);
  return treated(call.number, Treatment::Compared);
}

/// A child with memory of its own changes nothing here, but two words that name it.
SyscallRow clone_row(const RecordedCall& call, std::uint64_t flags) {
  if ((flags & CLONE_VM) != 0) {
    return treated(call.number, (flags & CLONE_VFORK) != 0 ? Treatment::Compared : Treatment::Ends);
  }
  return treated(call.number, (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) != 0
                                  ? Treatment::Compared
                                  : Treatment::Outputs);
}

std::uint64_t word_at(const TracedMemory& memory, std::uint64_t address) {
  std::uint64_t word = 0;
  memory.read_some(address, std::as_writable_bytes(std::span(&word, 1)));
  return word;
}

}  // namespace

SyscallRow row_of(const RecordedCall& call, const TracedMemory& memory) {
  const SyscallRow& row = find_syscall_row(call.number);
  if (row.treatment != Treatment::Irregular) return row;
  switch (call.number) {
    case SYS_mmap:
      return mmap_row(call);
    case SYS_madvise:
      return madvise_row(call);
    case SYS_ioctl:
      return ioctl_row(call);
    case SYS_prctl:
      return prctl_row(call);
    case SYS_arch_prctl:
      return arch_prctl_row(call);
    case SYS_clone:
      return clone_row(call, call.arguments[0]);
    default:  // clone3: the flags are the first word of its struct.
      return clone_row(call, word_at(memory, call.arguments[0]));
  }
}

}  // namespace icecore::replay
