// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "replay/live/run_observer.h"
#include "replay/record/event_log.h"
#include "replay/record/event_recorder.h"
#include "replay/timeline/copy_memory.h"
#include "replay/timeline/history.h"
#include "replay/timeline/put_off_signal.h"
#include "replay/timeline/sure_moments.h"
#include "snapshot/tracing/affinity.h"

namespace icecore::replay {

/// Records the processes of a LiveTree while they run, so that a debugger can go back: each
/// single-threaded one from its first instruction under the debugger on, or from behind whatever
/// last could not be kept. Used by the tracing thread, which stays on one CPU meanwhile.
class LiveRecording : public RunObserver {
 public:
  /// One process's history, and why it begins where it begins.
  struct Life {
    EventLog log;
    std::unique_ptr<EventRecorder> recorder;
    std::unique_ptr<History> history;  ///< null while nothing is recorded
    /// While there is no history although one is wanted.
    SureMoments sure;
    std::string begins_because;
    CopyMemory copy_memory;
    PutOffSignal put_off;
    bool in_call = false;
    bool hopeless = false;  ///< until it executes another program
    /// It could not begin at a stop for a signal, which is tried again behind that.
    bool delivers_first = false;
    std::uint64_t events_at_checkpoint = 0;
    std::chrono::steady_clock::time_point checkpoint_time;
  };

  LiveRecording() = default;

  /// Throws Error, with the reason, when process `pid` has no history.
  Life& life(std::int32_t pid);
  [[nodiscard]] bool has_history(std::int32_t pid) const;
  /// What there is instead of a history; null when there is one, or nothing is recorded.
  [[nodiscard]] const SureMoments* sure_moments(std::int32_t pid) const;
  /// Why that is all there is.
  [[nodiscard]] std::string why_not_exact(std::int32_t pid) const;
  /// `change` writes these bytes for a debugger; that becomes a part of the history.
  void change_memory(LiveProcess& process, MemoryWrite write, const std::function<void()>& change);
  /// The same for registers of a stopped thread.
  void change_registers(LiveProcess& process, LiveThread& thread,
                        const std::function<void()>& change);
  /// Off forgets everything and lets processes run at full speed.
  enum class Mode { On, Off };
  void set_mode(Mode mode);

  bool before_run(LiveProcess& process, LiveThread& thread) override;
  bool steps_call(const LiveThread& thread) override;
  void at_call(LiveProcess& process, LiveThread& thread) override;
  bool takes_fault(const LiveThread& thread) override;
  bool delivers(LiveProcess& process, const LiveThread& thread, int signal) override;
  void time_passed(LiveProcess& process) override;
  void missed(const LiveThread& thread, const char* what) override;
  void born(std::int32_t parent, std::int32_t child) override;
  void forget(std::int32_t pid) override;
  void let_go(LiveProcess& process) override;

 private:
  void begin(Life& life, const LiveProcess& process);
  static void keep_sure_moment(Life& life, const LiveProcess& process, LiveThread& thread);
  static void checkpoint(Life& life, const LiveProcess& process);
  static void keep_witness(Life& life, const LiveProcess& process);
  static void note_checkpoint(Life& life, const LiveProcess& process, const Moment& moment);
  static void end(Life& life, const std::string& reason);
  static bool puts_off(Life& life, const LiveThread& thread, int signal);
  static void send_into_call(Life& life, LiveThread& thread);
  /// What was before does not lead to where the process is.
  void changed(std::int32_t pid, const std::string& what);
  void record_change(LiveProcess& process, LiveThread& thread,
                     const std::function<void(Life&)>& work);

  snapshot::AffinityScope affinity_;  ///< the thread's own is given back at the end
  Mode mode_ = Mode::On;
  std::map<std::int32_t, Life> lives_;
  /// Processes whose reads of the time stamp counter trap for the sake of a program that they ran
  /// before.
  std::set<std::int32_t> trapped_;
};

}  // namespace icecore::replay
