// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "snapshot/tracing/affinity.h"
#include "snapshot/tracing/code_gadgets.h"
#include "snapshot/tracing/remote_call.h"
#include "snapshot/tracing/seccomp_gate.h"
#include "snapshot/tracing/traced_tree.h"

namespace icecore::snapshot {

/// Runs system calls inside one frozen process: some facts (signal actions, alternate stacks) and
/// some powers (userfaultfd) exist only there. While it lives the process has one extra mapping;
/// afterwards registers, signal mask, pending stop and mappings are what they were. Batches cost
/// 0.1 us per call plus two context switches per thread; the tracer moves to the thread's CPU
/// because a wake-up across CPUs costs ten times one on the same CPU in virtual machines.
class RemoteProcess {
 public:
  /// nullopt when nothing of the process can be driven: no thread is stopped, seccomp would end the
  /// process for it, or the process has no `syscall` instruction that we can find.
  static std::optional<RemoteProcess> enter(
      TracedTree& tree, GadgetFinder& finder, int pid,
      SeccompGate::Danger danger = SeccompGate::Danger::Avoided);

  RemoteProcess(RemoteProcess&& other) noexcept;
  RemoteProcess& operator=(RemoteProcess&&) = delete;
  ~RemoteProcess();

  /// Thread `tid` is below seccomp: calls that it forbids are not made. What the driving thread is
  /// below is known.
  void mind_seccomp(int tid, int mode) { gate_.watch(tid, mode); }
  [[nodiscard]] const SeccompGate& gate() const { return gate_; }
  /// Whether the driving thread may make that call, with any arguments that a filter looks at zero.
  bool permits(std::int64_t number);

  /// Runs `calls` in order on thread `tid` (stopped, of this process), which last ran on `cpu`;
  /// false when the thread died. Those that seccomp forbids are left out: RemoteCall::kNotMade.
  bool run(int tid, int cpu, std::span<RemoteCall> calls);
  /// One call on the driving thread.
  std::int64_t call(std::int64_t number, std::array<std::uint64_t, 6> arguments);

  /// Address of scratch memory for arguments and results, kScratchSize bytes, zeroed at first.
  [[nodiscard]] std::uint64_t scratch() const;
  static constexpr std::size_t kScratchSize = 32768;
  bool read(std::uint64_t address, std::span<std::byte> out) const;
  bool write(std::uint64_t address, std::span<const std::byte> bytes) const;

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] int driver() const { return driver_; }

 private:
  RemoteProcess(TracedTree& tree, int pid, int driver, const CodeGadgets& gadgets,
                SeccompGate::Danger danger);
  class Suspension;
  [[nodiscard]] SeccompGate::Passage passage_out(int tid);
  [[nodiscard]] SeccompGate::Passage passage_of_steps(int tid);
  bool run_permitted(TracedThread& thread, std::span<RemoteCall> calls);
  bool run_all(TracedThread& thread, std::span<RemoteCall> calls);
  bool write_return_frame(TracedThread& thread, std::uint64_t address, std::size_t room) const;
  bool step_syscall(TracedThread& thread, RemoteCall& call);
  bool go_to_signal_stop(TracedThread& thread);
  bool run_walker(TracedThread& thread, std::span<RemoteCall> calls);
  bool wait_for_trap(TracedThread& thread);
  static void begin(TracedThread& thread);
  bool send_off(const TracedThread& thread, const user_regs_struct& registers) const;
  void end(TracedThread& thread);

  TracedTree* tree_;
  int pid_;
  int driver_;
  CodeGadgets gadgets_;
  SeccompGate gate_;
  int signal_ = 0;                           ///< what the walker stops itself with
  int cpu_ = -1;                             ///< where the driver last ran
  std::unique_ptr<AffinityScope> affinity_;  ///< gives the tracer its CPUs back at the end
  std::uint64_t area_ = 0;                   ///< our mapping: walker code, call table, scratch
};

}  // namespace icecore::snapshot
