// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "snapshot/tracing/remote_process.h"

namespace icecore::replay {

using snapshot::RemoteCall;

/// A process in the making, driven by system calls that it runs for us: everything that only the
/// process itself can do. All its signals are blocked, it is traced and stopped between calls, and
/// it runs on the tracer's CPU. A mapping of ours, the area, is in it until finish(): walker code,
/// a table of calls, scratch memory. All calls from the thread that traces it.
class Puppet {
 public:
  static constexpr std::size_t kRows = 1000;
  static constexpr std::size_t kScratchSize = std::size_t{1} << 18U;
  /// A `syscall` instruction in the area.
  static constexpr std::uint64_t kSyscallOffset = 27;
  static constexpr std::size_t kAreaSize = 4096 + 65536 + kScratchSize;

  /// `tid` is stopped in the seed program (see seed_image.h) or a fork of another puppet; `area` is
  /// where the area is mapped already, 0 when it is not.
  Puppet(int tid, std::uint64_t area) : pid_(tid), area_(area) {}

  /// Ids as the tracer's own PID namespace has them.
  [[nodiscard]] int pid() const { return pid_; }
  /// The first thread has ended: `tid` runs the calls of the process from now on.
  void drive_by(int tid) { pid_ = tid; }
  [[nodiscard]] std::uint64_t area() const { return area_; }

  /// Maps the area at `address` and moves there; the `syscall` instruction that is used for it is
  /// at `instruction`. An older area stays mapped.
  void move_in(std::uint64_t address, std::uint64_t instruction);

  /// Runs `calls` in order on thread `tid`, at most kRows; throws when the thread is gone. Returns
  /// the processes and threads that were born of it, as the tracer's PID namespace has them; they
  /// are traced, and stopped before their first instruction.
  std::vector<int> run(int tid, std::span<RemoteCall> calls);
  /// One call on the first thread; -errno as the kernel gives it.
  std::int64_t call(std::int64_t number, std::array<std::uint64_t, 6> arguments = {});
  /// One call by the `syscall` instruction at `instruction`, anywhere in the process: for what the
  /// area itself cannot do, such as its own end.
  std::int64_t call_at(int tid, std::uint64_t instruction, const RemoteCall& call);

  /// Begins a call and interrupts it at once, if it has not ended before it could sleep; its
  /// result, which may be one of the kernel's own (-512 to -516). What the kernel keeps of a call
  /// that is to be restarted stays with the thread.
  std::int64_t begin_and_interrupt(int tid, const RemoteCall& call);
  /// Lets the first thread begin a call from which it does not come back, when it is resumed.
  void begin_call(const RemoteCall& call);

  /// kScratchSize bytes for arguments and results, of nobody between two batches.
  [[nodiscard]] std::uint64_t scratch() const { return area_ + 4096 + 65536; }
  /// Copies of all bytes, or they throw.
  void read(std::uint64_t address, std::span<std::byte> out) const;
  void write(std::uint64_t address, std::span<const std::byte> bytes) const;

 private:
  std::vector<std::uint64_t> lay_out(int tid, std::span<const RemoteCall> calls) const;

  int pid_;
  std::uint64_t area_;
};

/// Calls collected for one thread of a puppet, run when asked or when the table or the scratch
/// memory is full. A call that fails throws Error "WHAT: strerror", unless it was added with
/// permission to.
class CallBatch {
 public:
  CallBatch(Puppet& puppet, int tid) : puppet_(puppet), tid_(tid) {}
  CallBatch(const CallBatch&) = delete;
  CallBatch& operator=(const CallBatch&) = delete;

  using Arguments = std::array<std::uint64_t, 6>;
  /// `what` names object and operation: "fd 7 (/tmp/x): lseek".
  void add(std::int64_t number, const Arguments& arguments, std::string what);
  /// `done` gets the result, -errno included, when the batch has run.
  void add(std::int64_t number, const Arguments& arguments,
           std::function<void(std::int64_t result)> done);
  /// Puts an argument into scratch memory, valid until the batch has run; returns its address.
  /// Must be followed by the add() that uses it, all of whose arguments are put before it.
  std::uint64_t put(std::span<const std::byte> bytes);
  std::uint64_t put_text(const std::string& text);
  /// Processes and threads that were born of it.
  [[nodiscard]] const std::vector<int>& born() const { return born_; }
  template <typename Struct>
  std::uint64_t put_struct(const Struct& value) {
    return put(std::as_bytes(std::span(&value, 1)));
  }
  void run();

 private:
  struct Wish {
    std::string what;
    std::function<void(std::int64_t)> done;
  };
  void add(const RemoteCall& call, Wish wish);

  Puppet& puppet_;
  int tid_;
  std::vector<RemoteCall> calls_;
  std::vector<Wish> wishes_;
  std::vector<int> born_;
  std::vector<std::byte> scratch_;
};

}  // namespace icecore::replay
