// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>

#include "snapshot/tracing/remote_call.h"
#include "snapshot/tracing/seccomp_policy.h"

namespace icecore::snapshot {

/// Decides which of our calls a thread below seccomp may be made to run.
///
/// What its filters allow is run as in any other thread. What they answer with an error is run with
/// seccomp suspended, as the kernel lets a privileged tracer do: should we die on the way, the
/// program runs the rest of our table below its filters again, gets errors that nobody reads, and
/// returns to what it was doing. What they would end the program for is not run at all: between our
/// death and its return to its own code it would be lost. Who is about to end the program anyway
/// (Danger::Taken) need not mind that.
class SeccompGate {
 public:
  enum class Danger { Avoided, Taken };
  explicit SeccompGate(Danger danger) : danger_(danger) {}

  /// `tid` is in a ptrace stop; `mode` as in /proc/PID/status.
  void watch(int tid, int mode);

  /// A call and where its instruction is.
  struct Call {
    const RemoteCall* call;
    std::uint64_t instruction;
  };
  enum class Passage { Closed, Open, OpenSuspended };
  /// For one call.
  [[nodiscard]] Passage passage(int tid, const Call& call);
  /// For calls that are all made or none.
  [[nodiscard]] Passage passage(int tid, std::span<const Call> calls);
  /// For the return from a signal handler, which is to be allowed at any time.
  [[nodiscard]] bool lets_return(int tid, std::uint64_t instruction);

  [[nodiscard]] bool watches(int tid) const { return policies_.contains(tid); }
  /// Numbers of calls that were asked for and did not pass.
  [[nodiscard]] const std::set<std::int64_t>& closed() const { return closed_; }

 private:
  Danger danger_;
  std::map<int, SeccompPolicy> policies_;  ///< by tid
  std::set<std::int64_t> closed_;
};

}  // namespace icecore::snapshot
