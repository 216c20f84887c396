// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>
#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::snapshot {

using SiginfoBytes = std::string;  ///< siginfo_t as the kernel gives it, 128 bytes

/// struct ptrace_rseq_configuration, see ptrace(2) PTRACE_GET_RSEQ_CONFIGURATION.
struct RseqConfiguration {
  std::uint64_t address = 0;
  std::uint32_t length = 0;
  std::uint32_t signature = 0;
};

/// The only ptrace(2) calls of icecore. A thread that has died meanwhile (SIGKILL works at any
/// time, even in a stop) is an outcome, not a failure: the call answers false or nullopt. Any other
/// error throws. All calls must come from the thread that seized.
namespace ptrace_call {

enum class Seize { Done, Gone, NotPermitted };
/// PTRACE_SEIZE without stopping; `options` are PTRACE_O_*. NotPermitted: traced by somebody else,
/// or no right to.
Seize seize(int tid, unsigned options);
/// For processes that are ours to make: they die with the tracer, and their children and threads
/// are traced and stopped from birth.
unsigned puppet_options();
/// For processes under a debugger: births, executions and vfork's end are reported, and the
/// newborn is traced from birth. `death` says whether they die with the tracer.
enum class TracerDeath { LeavesThem, KillsThem };
unsigned debugging_options(TracerDeath death);
bool set_options(int tid, unsigned options);
bool interrupt(int tid);
/// Resumes a stopped thread, delivering `signal` when it is not 0.
bool resume(int tid, int signal);
/// Resumes it for one instruction (SIGTRAP, TRAP_TRACE), or to the first of the handler of
/// `signal`.
bool single_step(int tid, int signal);
/// As resume(), but stops again at the next entry to or exit from a system call.
bool resume_to_syscall(int tid, int signal);
/// Runs one instruction and stops again with SIGTRAP. The call that it may be is made unseen.
bool step(int tid, int signal);
/// As resume_to_syscall(), but the next call stops at its entry and is never made: the registers
/// that are set there are what the program sees of it.
bool resume_emulating(int tid);
/// One instruction; if that is a call, stops at its entry as resume_emulating() does.
bool step_emulating(int tid);
/// At a system call stop (seized with PTRACE_O_TRACESYSGOOD): which side of it.
enum class SyscallSide { Entry, Exit };
std::optional<SyscallSide> syscall_side(int tid);
/// Leaves a thread that is in a group-stop stopped, but wakes us when that changes.
bool listen(int tid);
bool detach(int tid, int signal);

std::optional<user_regs_struct> registers(int tid);
bool set_registers(int tid, const user_regs_struct& registers);
/// The XSAVE image in standard format (NT_X86_XSTATE).
std::optional<std::string> xstate(int tid);
/// Whether xstate() would be `image`, for a fifth of the time.
bool has_xstate(int tid, std::string_view image);
/// Of the size and the components that xstate() gave on a CPU like this one; throws when the kernel
/// refuses it.
bool set_xstate(int tid, const std::string& image);
/// A debug register of the CPU as the thread has it (0 to 3: addresses, 6: which was hit, 7: what
/// they watch).
std::optional<std::uint64_t> debug_register(int tid, unsigned index);
/// Throws when the kernel refuses the value: an address of its own, a size that is not aligned.
bool set_debug_register(int tid, unsigned index, std::uint64_t value);
std::optional<std::uint64_t> signal_mask(int tid);
bool set_signal_mask(int tid, std::uint64_t mask);
std::optional<SiginfoBytes> siginfo(int tid);
bool set_siginfo(int tid, const SiginfoBytes& bytes);
/// All pending signals of the private or the shared queue, oldest first, left in place.
enum class Queue { Private, Shared };
std::vector<SiginfoBytes> pending(int tid, Queue queue);
/// Whether pending() would not be empty; also true when the thread is gone.
bool has_pending(int tid, Queue queue);
std::optional<RseqConfiguration> rseq(int tid);
std::optional<unsigned long> event_message(int tid);

/// The seccomp filter of that index, 0 the newest.
enum class FilterRead { Done, NoMore, NotPermitted };
FilterRead seccomp_filter(int tid, unsigned index, std::vector<sock_filter>& program);
/// The flags that it was installed with; 0 when they cannot be told.
std::uint64_t seccomp_flags(int tid, unsigned index);
/// Added to its options: the thread's seccomp does nothing until they are set anew, or until the
/// tracer is gone. Needs CAP_SYS_ADMIN, and a tracer that is below no filter itself.
constexpr unsigned kSuspendSeccomp = 1U << 21U;  // PTRACE_O_SUSPEND_SECCOMP, Linux 4.3

}  // namespace ptrace_call
}  // namespace icecore::snapshot
