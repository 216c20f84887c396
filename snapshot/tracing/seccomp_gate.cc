// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/seccomp_gate.h"

#include <linux/audit.h>
#include <sys/syscall.h>

#include <algorithm>

namespace icecore::snapshot {
namespace {

constexpr std::uint64_t kInstructionSize = 2;  // of `syscall`: filters see the address behind it

seccomp_data seen_by_filters(const SeccompGate::Call& call) {
  seccomp_data data{};
  data.nr = static_cast<int>(call.call->number);
  data.arch = AUDIT_ARCH_X86_64;
  data.instruction_pointer = call.instruction + kInstructionSize;
  std::ranges::copy(call.call->arguments, data.args);
  return data;
}

}  // namespace

void SeccompGate::watch(int tid, int mode) {
  policies_.insert_or_assign(tid, SeccompPolicy::of(tid, mode));
}

SeccompGate::Passage SeccompGate::passage(int tid, const Call& call) {
  const auto policy = policies_.find(tid);
  if (policy == policies_.end()) return Passage::Open;
  switch (policy->second.verdict(seen_by_filters(call))) {
    case SeccompPolicy::Verdict::Allowed:
      return Passage::Open;
    case SeccompPolicy::Verdict::Harmless:
      return Passage::OpenSuspended;
    case SeccompPolicy::Verdict::Deadly:
      break;
  }
  if (danger_ == Danger::Taken) return Passage::OpenSuspended;
  closed_.insert(call.call->number);
  return Passage::Closed;
}

SeccompGate::Passage SeccompGate::passage(int tid, std::span<const Call> calls) {
  Passage result = Passage::Open;
  for (const auto& call : calls) {
    const Passage own = passage(tid, call);
    if (own == Passage::Closed) return own;
    if (own == Passage::OpenSuspended) result = own;
  }
  return result;
}

bool SeccompGate::lets_return(int tid, std::uint64_t instruction) {
  const auto policy = policies_.find(tid);
  if (policy == policies_.end() || danger_ == Danger::Taken) return true;
  const RemoteCall call{SYS_rt_sigreturn, {}, 0};
  const bool allowed = policy->second.verdict(seen_by_filters({&call, instruction})) ==
                       SeccompPolicy::Verdict::Allowed;
  if (!allowed) closed_.insert(call.number);
  return allowed;
}

}  // namespace icecore::snapshot
