// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/ptrace.h"

#include <elf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "base/error.h"

namespace icecore::snapshot::ptrace_call {
namespace {

// The glibc wrapper takes an enum and void pointers; the kernel's own numbers are wider than both.
long raw(unsigned request, int tid, std::uint64_t address, std::uint64_t data) {
  return ::ptrace(static_cast<__ptrace_request>(request), tid, reinterpret_cast<void*>(address),
                  reinterpret_cast<void*>(data));
}

std::uint64_t pointer(const void* object) { return reinterpret_cast<std::uint64_t>(object); }

/// True when done, false when the thread is gone (or no longer stopped, which only a kill causes).
bool call(const char* name, unsigned request, int tid, std::uint64_t address, std::uint64_t data) {
  if (raw(request, tid, address, data) >= 0) return true;
  if (errno == ESRCH) return false;
  throw_errno("ptrace " + std::string(name) + " of thread " + std::to_string(tid));
}

constexpr std::size_t kLargestXstate = 16384;  // AMX alone needs 8 KiB

/// How many bytes there are; 0 when the thread is gone.
std::size_t read_xstate(int tid, std::array<char, kLargestXstate>& image) {
  iovec vector{image.data(), image.size()};
  if (raw(PTRACE_GETREGSET, tid, NT_X86_XSTATE, pointer(&vector)) == 0) return vector.iov_len;
  if (errno == ESRCH) return 0;
  throw_errno("ptrace getregset xstate of thread " + std::to_string(tid));
}

std::uint64_t debug_register_offset(unsigned index) {
  return offsetof(struct user, u_debugreg) + std::uint64_t{index} * sizeof(unsigned long);
}

}  // namespace

Seize seize(int tid, unsigned options) {
  if (raw(PTRACE_SEIZE, tid, 0, options) == 0) return Seize::Done;
  if (errno == ESRCH) return Seize::Gone;
  if (errno == EPERM) return Seize::NotPermitted;
  throw_errno("ptrace seize of thread " + std::to_string(tid));
}

unsigned puppet_options() {
  return PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
         PTRACE_O_TRACEVFORK;
}

unsigned debugging_options(TracerDeath death) {
  const unsigned kill = death == TracerDeath::KillsThem ? PTRACE_O_EXITKILL : 0;
  return kill | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
         PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXEC;
}

bool set_options(int tid, unsigned options) {
  return call("setoptions", PTRACE_SETOPTIONS, tid, 0, options);
}
bool interrupt(int tid) { return call("interrupt", PTRACE_INTERRUPT, tid, 0, 0); }
bool resume(int tid, int signal) {
  return call("cont", PTRACE_CONT, tid, 0, static_cast<std::uint64_t>(signal));
}
bool single_step(int tid, int signal) {
  return call("singlestep", PTRACE_SINGLESTEP, tid, 0, static_cast<std::uint64_t>(signal));
}
bool resume_to_syscall(int tid, int signal) {
  return call("syscall", PTRACE_SYSCALL, tid, 0, static_cast<std::uint64_t>(signal));
}
bool step(int tid, int signal) {
  return call("singlestep", PTRACE_SINGLESTEP, tid, 0, static_cast<std::uint64_t>(signal));
}
bool resume_emulating(int tid) { return call("sysemu", PTRACE_SYSEMU, tid, 0, 0); }
bool step_emulating(int tid) {
  return call("sysemu_singlestep", PTRACE_SYSEMU_SINGLESTEP, tid, 0, 0);
}

std::optional<SyscallSide> syscall_side(int tid) {
  // struct ptrace_syscall_info, since Linux 5.3; its first byte is the kind of stop.
  std::array<std::uint8_t, 88> info{};
  constexpr unsigned kGetSyscallInfo = 0x420e;
  if (raw(kGetSyscallInfo, tid, info.size(), pointer(info.data())) <= 0) return std::nullopt;
  if (info[0] == 1) return SyscallSide::Entry;
  if (info[0] == 2) return SyscallSide::Exit;
  return std::nullopt;
}

bool listen(int tid) {
  // EIO: it is no longer in a group-stop (a SIGCONT came in between); the next wait tells.
  if (raw(PTRACE_LISTEN, tid, 0, 0) == 0) return true;
  if (errno == ESRCH || errno == EIO) return false;
  throw_errno("ptrace listen of thread " + std::to_string(tid));
}
bool detach(int tid, int signal) {
  return call("detach", PTRACE_DETACH, tid, 0, static_cast<std::uint64_t>(signal));
}

std::optional<user_regs_struct> registers(int tid) {
  user_regs_struct result{};
  iovec vector{&result, sizeof result};
  if (!call("getregset", PTRACE_GETREGSET, tid, NT_PRSTATUS, pointer(&vector))) return std::nullopt;
  if (vector.iov_len != sizeof result) {
    throw Error("thread " + std::to_string(tid) + ": a 32-bit program is not supported");
  }
  return result;
}

bool set_registers(int tid, const user_regs_struct& registers) {
  user_regs_struct copy = registers;
  iovec vector{&copy, sizeof copy};
  return call("setregset", PTRACE_SETREGSET, tid, NT_PRSTATUS, pointer(&vector));
}

std::optional<std::string> xstate(int tid) {
  std::array<char, kLargestXstate> image;  // not cleared: the kernel says how much it wrote
  const std::size_t size = read_xstate(tid, image);
  if (size == 0) return std::nullopt;
  return std::string(image.data(), size);
}

bool has_xstate(int tid, std::string_view image) {
  std::array<char, kLargestXstate> now;
  return std::string_view(now.data(), read_xstate(tid, now)) == image;
}

bool set_xstate(int tid, const std::string& image) {
  std::string copy = image;
  iovec vector{copy.data(), copy.size()};
  return call("setregset xstate", PTRACE_SETREGSET, tid, NT_X86_XSTATE, pointer(&vector));
}

std::optional<std::uint64_t> debug_register(int tid, unsigned index) {
  // The glibc wrapper returns the word, and an error by errno alone.
  errno = 0;
  const long word = raw(PTRACE_PEEKUSER, tid, debug_register_offset(index), 0);
  if (errno == 0) return static_cast<std::uint64_t>(word);
  if (errno == ESRCH) return std::nullopt;
  throw_errno("ptrace peekuser of thread " + std::to_string(tid));
}

bool set_debug_register(int tid, unsigned index, std::uint64_t value) {
  return call("pokeuser", PTRACE_POKEUSER, tid, debug_register_offset(index), value);
}

std::optional<std::uint64_t> signal_mask(int tid) {
  std::uint64_t mask = 0;
  if (!call("getsigmask", PTRACE_GETSIGMASK, tid, sizeof mask, pointer(&mask))) return std::nullopt;
  return mask;
}

bool set_signal_mask(int tid, std::uint64_t mask) {
  return call("setsigmask", PTRACE_SETSIGMASK, tid, sizeof mask, pointer(&mask));
}

std::optional<SiginfoBytes> siginfo(int tid) {
  SiginfoBytes bytes(sizeof(siginfo_t), '\0');
  // EINVAL: the stop has none (a group-stop before Linux 3.4 semantics, or just resumed).
  if (raw(PTRACE_GETSIGINFO, tid, 0, pointer(bytes.data())) == 0) return bytes;
  if (errno == ESRCH || errno == EINVAL) return std::nullopt;
  throw_errno("ptrace getsiginfo of thread " + std::to_string(tid));
}

bool set_siginfo(int tid, const SiginfoBytes& bytes) {
  SiginfoBytes copy = bytes;
  return call("setsiginfo", PTRACE_SETSIGINFO, tid, 0, pointer(copy.data()));
}

bool has_pending(int tid, Queue queue) {
  siginfo_t first;
  __ptrace_peeksiginfo_args arguments{};
  arguments.flags = queue == Queue::Shared ? static_cast<unsigned>(PTRACE_PEEKSIGINFO_SHARED) : 0U;
  arguments.nr = 1;
  return raw(PTRACE_PEEKSIGINFO, tid, pointer(&arguments), pointer(&first)) != 0;
}

std::vector<SiginfoBytes> pending(int tid, Queue queue) {
  constexpr std::size_t kBatch = 16;
  std::vector<SiginfoBytes> result;
  std::array<siginfo_t, kBatch> batch{};
  for (std::uint64_t offset = 0;;) {
    __ptrace_peeksiginfo_args arguments{};
    arguments.off = offset;
    arguments.flags =
        queue == Queue::Shared ? static_cast<unsigned>(PTRACE_PEEKSIGINFO_SHARED) : 0U;
    arguments.nr = static_cast<std::int32_t>(kBatch);
    const long count = raw(PTRACE_PEEKSIGINFO, tid, pointer(&arguments), pointer(batch.data()));
    if (count <= 0) return result;
    for (long i = 0; i < count; ++i) {
      result.emplace_back(reinterpret_cast<const char*>(&batch[static_cast<std::size_t>(i)]),
                          sizeof(siginfo_t));
    }
    offset += static_cast<std::uint64_t>(count);
  }
}

std::optional<RseqConfiguration> rseq(int tid) {
  // Since Linux 5.13; glibc 2.36's headers may lack the struct, so it is spelled here.
  struct {
    std::uint64_t pointer;
    std::uint32_t size;
    std::uint32_t signature;
    std::uint32_t flags;
    std::uint32_t pad;
  } configuration{};
  constexpr unsigned kGetRseqConfiguration = 0x420f;
  const long size = raw(kGetRseqConfiguration, tid, sizeof configuration, pointer(&configuration));
  if (size <= 0 || configuration.pointer == 0) return std::nullopt;
  return RseqConfiguration{configuration.pointer, configuration.size, configuration.signature};
}

std::optional<unsigned long> event_message(int tid) {
  unsigned long message = 0;
  if (!call("geteventmsg", PTRACE_GETEVENTMSG, tid, 0, pointer(&message))) return std::nullopt;
  return message;
}

FilterRead seccomp_filter(int tid, unsigned index, std::vector<sock_filter>& program) {
  const long length = raw(PTRACE_SECCOMP_GET_FILTER, tid, index, 0);
  if (length < 0) {
    // ENOENT: no filter of that index. EINVAL: no filters at all. ESRCH: gone. EACCES: no right to.
    // EMEDIUMTYPE: not a classic program.
    return errno == ENOENT || errno == EINVAL || errno == ESRCH ? FilterRead::NoMore
                                                                : FilterRead::NotPermitted;
  }
  program.resize(static_cast<std::size_t>(length));
  const bool read = raw(PTRACE_SECCOMP_GET_FILTER, tid, index, pointer(program.data())) == length;
  return read ? FilterRead::Done : FilterRead::NotPermitted;
}

std::uint64_t seccomp_flags(int tid, unsigned index) {
  struct {
    std::uint64_t index;
    std::uint64_t flags;
  } metadata{index, 0};  // struct seccomp_metadata, Linux 4.16
  const long size = raw(PTRACE_SECCOMP_GET_METADATA, tid, sizeof metadata, pointer(&metadata));
  return size == static_cast<long>(sizeof metadata) ? metadata.flags : 0;
}

}  // namespace icecore::snapshot::ptrace_call
