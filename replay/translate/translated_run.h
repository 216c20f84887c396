// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/user.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "replay/restore/address_map.h"
#include "replay/translate/execution_point.h"
#include "replay/translate/outcome.h"

namespace icecore::replay {

/// An address at which the execution is looked at.
struct Place {
  enum class Action {
    Stop,   ///< run() comes back in front of it
    Record  ///< the visit is noted in the process, and it runs on: some ns each
  };
  std::uint64_t address = 0;
  Action action = Action::Record;
};

/// What is known of the visits to a place that records.
struct Visits {
  std::uint64_t address = 0;
  std::uint64_t count = 0;               ///< since restart_count()
  std::optional<ExecutionPoint> last{};  ///< the newest of them
};

/// How far run() goes. Without anything: to the next outcome that it cannot go past.
struct Limit {
  /// In front of this point; with pc 0: right after so many transfers.
  std::optional<ExecutionPoint> point{};
  /// At each point with this pc and these sixteen general registers. At a `rep` instruction rcx,
  /// rsi, rdi may be those of its middle.
  std::optional<user_regs_struct> state{};
  /// With `state`: and where these words, which can be read all the time, hold too. Compared in the
  /// process, at 1 ns each; not at `rep` instructions.
  std::vector<MemoryWord> words{};
  /// Asked several times a second; false ends the run.
  std::function<bool()> keep_going{};
};

/// Runs one thread so that its transfers are counted and it can be stopped at any point exactly,
/// without hardware counters: its code runs as copies in a code cache inside the process, which are
/// made here as it gets there. Between two run()s the thread has its native registers and pc, and
/// may be looked at, changed, given a signal or stepped by whoever traces it.
///
/// For processes that are ours to run: single-threaded, stopped (in any ptrace stop but a group
/// stop), pinned to one CPU. While this lives, it has more mappings than native execution has, and
/// no system call is executed by run(). The thread's program counter is never seen inside of the
/// cache by the program, other memory is what native execution makes it, the kernel's view of an
/// rseq critical section excepted. Code that changes: see forget_code().
///
/// Errors: throws Refused when code cannot be run so: it lies in a mapping that is writable and
/// executable or shared and writable, refers to data farther than 2 GiB, or is not known to us.
///
/// All calls from the thread that traces `tid`.
class TranslatedRun {
 public:
  /// The cache is mapped by the first run(), outside of `keep_free`: what the process is going to
  /// map at fixed addresses later on.
  explicit TranslatedRun(int tid, std::vector<AddressRange> keep_free = {});
  /// Takes the cache away again unless the thread is gone.
  ~TranslatedRun();
  TranslatedRun(const TranslatedRun&) = delete;
  TranslatedRun& operator=(const TranslatedRun&) = delete;

  /// Replaces all places. Those that both sets have keep their visits.
  void set_places(const std::vector<Place>& places);
  /// To the first of: the limit, a stopping place (but not one that it starts at), a system call,
  /// an input instruction, a fault, a watch trap. That it starts at a recording place counts as a
  /// visit to it, that it ends there does not.
  Outcome run(const Limit& limit);
  /// Where it is, pc as of the last run().
  [[nodiscard]] const ExecutionPoint& point() const;
  /// Counts transfers and visits from 0 again: at each event.
  void restart_count();
  [[nodiscard]] std::vector<Visits> visits() const;

  /// To be called when the mappings of `[start, end)` have changed (mmap, munmap, mprotect,
  /// mremap), or executable memory there was written, since the last run(). Costs little where
  /// nothing ran.
  void forget_code(std::uint64_t start, std::uint64_t end);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace icecore::replay
