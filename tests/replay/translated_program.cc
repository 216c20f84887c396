// SPDX-License-Identifier: Apache-2.0
#include "tests/replay/translated_program.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/overloaded.h"
#include "replay/restore/puppet.h"
#include "snapshot/proc/maps.h"
#include "snapshot/tracing/process_memory.h"
#include "snapshot/tracing/ptrace.h"
#include "store/digest.h"

namespace icecore::test {
namespace {

namespace ptrace_call = snapshot::ptrace_call;

void pin(pid_t pid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &set);
  ::sched_setaffinity(pid, sizeof set, &set);
}

[[noreturn]] void run_child(int output, const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::personality(ADDR_NO_RANDOMIZE);
  ::raise(SIGSTOP);
  ::execvp(pointers[0], pointers.data());
  ::_exit(127);
}

std::string read_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 65536> buffer{};
  ssize_t got = 0;
  while ((got = ::read(file.get(), buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::uint64_t vdso_system_call(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/maps");
  for (const auto& line : snapshot::proc::parse_maps(text)) {
    if (line.name != "[vdso]") continue;
    std::string code(line.end - line.start, '\0');
    snapshot::read_process(pid, line.start, std::as_writable_bytes(std::span(code)));
    return line.start + code.find("\x0f\x05");
  }
  throw Error("no vdso");
}

}  // namespace

TranslatedProgram::TranslatedProgram(const std::vector<std::string>& arguments) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("pipe");
  pid_ = ::fork();
  if (pid_ < 0) throw_errno("fork");
  if (pid_ == 0) run_child(fds[1], arguments);
  output_ = UniqueFd(fds[0]);
  const UniqueFd write_end(fds[1]);
  pin(0);
  pin(pid_);
  ::waitpid(pid_, &status_, WUNTRACED);
  constexpr unsigned kExecEvent = PTRACE_O_TRACEEXEC;
  ptrace_call::seize(pid_, ptrace_call::puppet_options() | kExecEvent);
  ::kill(pid_, SIGCONT);
  do {
    wait();
    if (ended_) throw Error("the program did not start");
    if (status_ >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8)) ptrace_call::resume(pid_, 0);
  } while (status_ >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8));
  // Out of execve, which sets registers until its very end.
  ptrace_call::resume_to_syscall(pid_, 0);
  wait();
}

TranslatedProgram::TranslatedProgram(TranslatedProgram& original, int /*instance*/) {
  const user_regs_struct registers = original.registers();
  replay::Puppet puppet(original.pid_, 0);
  const std::int64_t child =
      puppet.call_at(original.pid_, vdso_system_call(original.pid_), {SYS_fork, {}, 0});
  if (child <= 0) throw Error("fork failed");
  original.set_registers(registers);
  pid_ = static_cast<pid_t>(child);
  wait();
  set_registers(registers);
}

TranslatedProgram::~TranslatedProgram() { end(); }

void TranslatedProgram::end() {
  if (pid_ < 0 || ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status_, __WALL);
  ended_ = true;
}

void TranslatedProgram::wait() {
  if (::waitpid(pid_, &status_, __WALL) < 0) throw_errno("waitpid");
  ended_ = !WIFSTOPPED(status_);
}

user_regs_struct TranslatedProgram::registers() const {
  const auto registers = ptrace_call::registers(pid_);
  if (!registers) throw Error("the program is gone");
  return *registers;
}

void TranslatedProgram::set_registers(const user_regs_struct& registers) const {
  user_regs_struct copy = registers;
  copy.orig_rax = ~0ULL;
  ptrace_call::set_registers(pid_, copy);
}

void TranslatedProgram::step_natively(int signal) {
  ptrace_call::single_step(pid_, signal);
  wait();
}

void TranslatedProgram::pass_system_call() {
  // Not by a step, which leaves its flag in r11 and unblocks SIGTRAP.
  for (int side = 0; side < 2 && !ended_; ++side) {
    ptrace_call::resume_to_syscall(pid_, 0);
    wait();
  }
}

void TranslatedProgram::run_natively_to_system_call() {
  for (;;) {
    ptrace_call::resume_to_syscall(pid_, 0);
    wait();
    if (ended_ || ptrace_call::syscall_side(pid_) == ptrace_call::SyscallSide::Entry) return;
  }
}

void TranslatedProgram::finish_system_call() {
  ptrace_call::resume_to_syscall(pid_, 0);
  wait();
}

void TranslatedProgram::run_natively() {
  int signal = 0;
  while (!ended_) {
    ptrace_call::resume(pid_, signal);
    wait();
    const bool event = ended_ || status_ >> 16 != 0;
    signal = event ? 0 : WSTOPSIG(status_);
  }
}

bool TranslatedProgram::settle(const replay::Outcome& outcome, replay::TranslatedRun& run) {
  return std::visit(Overloaded{[&](const replay::SystemCall&) {
                                 const user_regs_struct before = registers();
                                 pass_system_call();
                                 const bool remaps =
                                     before.rax == SYS_mmap || before.rax == SYS_mprotect ||
                                     before.rax == SYS_munmap || before.rax == SYS_mremap;
                                 if (ended_ || !remaps) return !ended_;
                                 const std::uint64_t start =
                                     before.rax == SYS_mmap ? registers().rax : before.rdi;
                                 run.forget_code(start, start + before.rsi);
                                 return true;
                               },
                               [&](const replay::InputInstruction&) {
                                 step_natively();
                                 return true;
                               },
                               [&](const replay::Fault& fault) {
                                 step_natively(fault.signal);
                                 return !ended_;
                               },
                               [&](const replay::Ended& end) {
                                 ended_ = true;
                                 status_ = end.status;
                                 return false;
                               },
                               [](const auto&) { return false; }},
                    outcome);
}

std::uint64_t TranslatedProgram::run_to_end(replay::TranslatedRun& run) {
  std::uint64_t transfers = 0;
  do {
    const auto outcome = run.run({});
    transfers = run.point().transfers;
    if (!settle(outcome, run)) break;
  } while (!ended_);
  return transfers;
}

std::string TranslatedProgram::output() {
  std::string text;
  std::array<char, 65536> buffer{};
  ssize_t got = 0;
  while ((got = ::read(output_.get(), buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

ProgramState state_of(const TranslatedProgram& program) {
  ProgramState state{program.registers(), ptrace_call::xstate(program.pid()).value_or(""), {}};
  state.registers.orig_rax = 0;
  // The resume flag: a step in the middle of a `rep` leaves it.
  state.registers.eflags &= ~0x10000ULL;
  // Which components are in their initial state depends on when the kernel saved them.
  constexpr std::size_t kHeader = 512;
  constexpr std::size_t kHeaderSize = 64;
  if (state.xstate.size() > kHeader) state.xstate.replace(kHeader, kHeaderSize, kHeaderSize, '\0');
  const std::string text = read_file("/proc/" + std::to_string(program.pid()) + "/maps");
  std::string bytes;
  for (const auto& line : snapshot::proc::parse_maps(text)) {
    if (!line.writable || line.executable || line.start < 0x80000000) continue;
    bytes.resize(line.end - line.start);
    if (!snapshot::read_process(program.pid(), line.start,
                                std::as_writable_bytes(std::span(bytes)))) {
      continue;
    }
    std::ostringstream out;
    out << std::hex << line.start << '-' << line.end << ' ' << line.name;
    for (const std::byte byte : store::digest_of(std::as_bytes(std::span(bytes)))) {
      out << ' ' << static_cast<unsigned>(byte);
    }
    state.memory += out.str() + '\n';
  }
  return state;
}

std::string difference(const ProgramState& expected, const ProgramState& actual) {
  std::ostringstream out;
  constexpr std::array kNames{"r15",   "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9",
                              "r8",    "rax", "rcx", "rdx", "rsi", "rdi", "-",   "rip", "cs",
                              "flags", "rsp", "ss",  "fs",  "gs",  "ds",  "es",  "fs",  "gs"};
  std::array<std::uint64_t, kNames.size()> one{};
  std::array<std::uint64_t, kNames.size()> other{};
  static_assert(sizeof one == sizeof(user_regs_struct));
  std::memcpy(one.data(), &expected.registers, sizeof one);
  std::memcpy(other.data(), &actual.registers, sizeof other);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (one[i] == other[i]) continue;
    out << kNames[i] << " is " << std::hex << other[i] << ", not " << one[i] << "; ";
  }
  for (std::size_t i = 0; i < expected.xstate.size(); ++i) {
    if (expected.xstate[i] == actual.xstate[i]) continue;
    out << "xstate byte " << std::dec << i << " is " << std::hex
        << static_cast<unsigned>(static_cast<unsigned char>(actual.xstate[i])) << ", not "
        << static_cast<unsigned>(static_cast<unsigned char>(expected.xstate[i])) << "; ";
  }
  if (expected.memory != actual.memory) {
    out << "memory is\n" << actual.memory << "not\n" << expected.memory;
  }
  return out.str();
}

}  // namespace icecore::test
