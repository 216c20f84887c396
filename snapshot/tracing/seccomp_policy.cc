// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/seccomp_policy.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "snapshot/tracing/ptrace.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::snapshot {
namespace {

constexpr int kModeStrict = 1;

/// The machine that classic BPF is written for, with the instructions that seccomp allows
/// (seccomp_check_filter and bpf_check_classic in the kernel; what they refuse is never installed).
class FilterMachine {
 public:
  explicit FilterMachine(const seccomp_data& call) {
    std::memcpy(words_.data(), &call, sizeof call);
  }

  std::uint32_t run(std::span<const sock_filter> program) {
    for (std::size_t at = 0; at < program.size(); ++at) {
      const sock_filter& step = program[at];
      switch (BPF_CLASS(step.code)) {
        case BPF_RET:
          return BPF_RVAL(step.code) == BPF_A ? a_ : step.k;
        case BPF_JMP:
          at += jump(step);
          break;
        default:
          compute(step);
      }
    }
    return SECCOMP_RET_KILL_PROCESS;
  }

 private:
  [[nodiscard]] std::uint32_t operand(const sock_filter& step) const {
    return BPF_SRC(step.code) == BPF_X ? x_ : step.k;
  }

  [[nodiscard]] std::size_t jump(const sock_filter& step) const {
    const std::uint32_t other = operand(step);
    switch (BPF_OP(step.code)) {
      case BPF_JA:
        return step.k;
      case BPF_JEQ:
        return a_ == other ? step.jt : step.jf;
      case BPF_JGT:
        return a_ > other ? step.jt : step.jf;
      case BPF_JGE:
        return a_ >= other ? step.jt : step.jf;
      default:  // BPF_JSET
        return (a_ & other) != 0 ? step.jt : step.jf;
    }
  }

  [[nodiscard]] std::uint32_t load(const sock_filter& step) const {
    switch (BPF_MODE(step.code)) {
      case BPF_IMM:
        return step.k;
      case BPF_MEM:
        return scratch_.at(step.k);
      case BPF_LEN:
        return sizeof(seccomp_data);
      default:  // BPF_ABS: a word of the call, aligned
        return words_.at(step.k / sizeof(std::uint32_t));
    }
  }

  void compute(const sock_filter& step) {
    switch (BPF_CLASS(step.code)) {
      case BPF_LD:
        a_ = load(step);
        break;
      case BPF_LDX:
        x_ = load(step);
        break;
      case BPF_ST:
        scratch_.at(step.k) = a_;
        break;
      case BPF_STX:
        scratch_.at(step.k) = x_;
        break;
      case BPF_ALU:
        calculate(step);
        break;
      default:  // BPF_MISC
        if (BPF_MISCOP(step.code) == BPF_TAX) {
          x_ = a_;
        } else {
          a_ = x_;
        }
    }
  }

  void calculate(const sock_filter& step) {
    constexpr std::uint32_t kShiftMask = 31;
    const std::uint32_t other = operand(step);
    switch (BPF_OP(step.code)) {
      case BPF_ADD:
        a_ += other;
        break;
      case BPF_SUB:
        a_ -= other;
        break;
      case BPF_MUL:
        a_ *= other;
        break;
      case BPF_DIV:
        a_ = other == 0 ? 0 : a_ / other;
        break;
      case BPF_AND:
        a_ &= other;
        break;
      case BPF_OR:
        a_ |= other;
        break;
      case BPF_XOR:
        a_ ^= other;
        break;
      case BPF_LSH:
        a_ <<= other & kShiftMask;
        break;
      case BPF_RSH:
        a_ >>= other & kShiftMask;
        break;
      default:  // BPF_NEG
        a_ = ~a_ + 1;
    }
  }

  std::array<std::uint32_t, sizeof(seccomp_data) / sizeof(std::uint32_t)> words_{};
  std::array<std::uint32_t, BPF_MEMWORDS> scratch_{};
  std::uint32_t a_ = 0;
  std::uint32_t x_ = 0;
};

/// The kernel takes the answer of the filter whose action comes first in this order.
std::int32_t rank(std::uint32_t answer) {
  return static_cast<std::int32_t>(answer & SECCOMP_RET_ACTION_FULL);
}

bool is_allowed_in_strict_mode(int number) {
  constexpr std::array kCalls = {SYS_read, SYS_write, SYS_exit, SYS_rt_sigreturn};
  return std::ranges::find(kCalls, number) != kCalls.end();
}

}  // namespace

std::uint32_t run_seccomp_filter(const std::vector<sock_filter>& program,
                                 const seccomp_data& call) {
  return FilterMachine(call).run(program);
}

bool SeccompFilter::asks_supervisor() const {
  return std::ranges::any_of(program, [](const sock_filter& step) {
    const bool constant = BPF_CLASS(step.code) == BPF_RET || BPF_CLASS(step.code) == BPF_LD ||
                          BPF_CLASS(step.code) == BPF_LDX || BPF_CLASS(step.code) == BPF_ALU;
    return constant && (step.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF;
  });
}

std::optional<std::vector<SeccompFilter>> seccomp_filters(int tid) {
  std::vector<SeccompFilter> filters;
  for (unsigned index = 0;; ++index) {
    SeccompFilter filter;
    switch (ptrace_call::seccomp_filter(tid, index, filter.program)) {
      case ptrace_call::FilterRead::Done:
        break;
      case ptrace_call::FilterRead::NoMore:
        return filters;
      case ptrace_call::FilterRead::NotPermitted:
        return std::nullopt;
    }
    filter.flags = ptrace_call::seccomp_flags(tid, index);
    filters.push_back(std::move(filter));
  }
}

SeccompPolicy::SeccompPolicy(std::vector<SeccompFilter> filters) : filters_(std::move(filters)) {}

SeccompPolicy SeccompPolicy::strict() { return SeccompPolicy(Kind::Strict); }

SeccompPolicy SeccompPolicy::of(int tid, int mode) {
  if (mode == kModeStrict) return strict();
  auto filters = seccomp_filters(tid);
  if (!filters || (mode != 0 && filters->empty())) return SeccompPolicy(Kind::Unknown);
  return SeccompPolicy(std::move(*filters));
}

SeccompPolicy::Verdict SeccompPolicy::verdict(const seccomp_data& call) const {
  if (kind_ == Kind::Unknown) return Verdict::Deadly;
  if (kind_ == Kind::Strict) {
    return is_allowed_in_strict_mode(call.nr) ? Verdict::Allowed : Verdict::Deadly;
  }
  std::uint32_t answer = SECCOMP_RET_ALLOW;
  for (const auto& filter : filters_) {
    const std::uint32_t own = run_seccomp_filter(filter.program, call);
    if (rank(own) < rank(answer)) answer = own;
  }
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
      return Verdict::Allowed;
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_TRACE:  // nobody who could answer traces it beside us: ENOSYS
      return Verdict::Harmless;
    default:
      return Verdict::Deadly;
  }
}

bool forbids_restart_syscall(int pid, int tid, std::uint64_t instruction_pointer) {
  auto filters = seccomp_filters(tid);
  if (filters && filters->empty()) return false;
  if (!filters) {
    const auto signals = task_signals(pid, tid);
    return signals && signals->seccomp != 0;
  }
  seccomp_data call{};
  call.nr = SYS_restart_syscall;
  call.arch = AUDIT_ARCH_X86_64;
  call.instruction_pointer = instruction_pointer;
  return SeccompPolicy(std::move(*filters)).verdict(call) != SeccompPolicy::Verdict::Allowed;
}

}  // namespace icecore::snapshot
