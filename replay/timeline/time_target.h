// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "gdbstub/target/allocation.h"
#include "gdbstub/target/breakpoints.h"
#include "gdbstub/target/execution.h"
#include "gdbstub/target/monitor.h"
#include "gdbstub/target/writing.h"
#include "replay/live/live_target.h"
#include "replay/timeline/live_recording.h"
#include "snapshot/register_codec.h"

namespace icecore::replay {

/// Living processes that can be gone back with. In the present it is the LiveTarget that it holds;
/// in the past one process is looked at in a copy that stands at that moment, under its own ids,
/// and nothing can be changed there. Going on from the past ends in the present, which has not
/// moved meanwhile.
class TimeTarget : public gdbstub::Target,
                   public gdbstub::Execution,
                   public gdbstub::ReverseExecution,
                   public gdbstub::Breakpoints,
                   public gdbstub::Writing,
                   public gdbstub::Allocation,
                   public gdbstub::Monitor {
 public:
  /// `recording` observes `tree` and outlives this.
  TimeTarget(std::shared_ptr<LiveTree> tree, const LiveOptions& options, LiveRecording& recording);

  // ---- what is looked at (time_target.cc) ----
  std::vector<gdbstub::ThreadDescription> threads() override;
  gdbstub::StopEvent current_stop() override;
  const gdbstub::RegisterLayout& register_layout() override { return live_.register_layout(); }
  gdbstub::RegisterValues read_registers(gdbstub::ThreadId thread) override;
  std::size_t read_memory(std::int32_t pid, std::uint64_t address,
                          std::span<std::byte> out) override;
  void write_memory(std::int32_t pid, std::uint64_t address,
                    std::span<const std::byte> bytes) override;
  void write_registers(gdbstub::ThreadId thread, const gdbstub::RegisterValues& values) override;
  void detach(std::int32_t pid) override;
  void kill(std::int32_t pid) override;

  // ---- going (time_target_travel.cc) ----
  void resume(std::span<const gdbstub::ResumeAction> actions) override;
  void interrupt() override;
  std::optional<gdbstub::StopEvent> next_event() override;
  std::string take_message() override { return std::exchange(message_, {}); }
  [[nodiscard]] int event_descriptor() const override;
  void listen_meanwhile(ClientSpeaks client_speaks) override {
    client_speaks_ = std::move(client_speaks);
  }
  void continue_backward(gdbstub::ThreadId thread) override;
  void step_backward(gdbstub::ThreadId thread) override;

  [[nodiscard]] bool supports(gdbstub::Breakpoint::Kind kind) const override;
  void insert(const gdbstub::Breakpoint& breakpoint) override;
  void remove(const gdbstub::Breakpoint& breakpoint) override;
  [[nodiscard]] bool evaluates_conditions() const override { return true; }
  void insert_conditional(const gdbstub::Breakpoint& breakpoint,
                          std::shared_ptr<const gdbstub::StopCondition> condition) override;
  [[nodiscard]] unsigned watchpoint_count() const override { return 4; }

  std::uint64_t allocate(std::int32_t pid, const gdbstub::AllocationRequest& request) override;
  void release(std::int32_t pid, std::uint64_t address) override;

  std::string run(std::string_view line, gdbstub::ThreadId current) override;

  gdbstub::Allocation* allocation() override { return this; }
  gdbstub::Attaching* attaching() override { return live_.attaching(); }
  gdbstub::Breakpoints* breakpoints() override { return this; }
  gdbstub::EventChoice* event_choice() override { return live_.event_choice(); }
  gdbstub::Execution* execution() override { return this; }
  gdbstub::HostFiles* host_files() override { return live_.host_files(); }
  gdbstub::Launching* launching() override { return live_.launching(); }
  gdbstub::Libraries* libraries() override { return live_.libraries(); }
  gdbstub::MemoryRegions* memory_regions() override { return live_.memory_regions(); }
  gdbstub::Monitor* monitor() override { return this; }
  gdbstub::NonStop* non_stop() override { return live_.non_stop(); }
  gdbstub::ProcessFacts* process_facts() override { return live_.process_facts(); }
  gdbstub::ReverseExecution* reverse_execution() override { return this; }
  gdbstub::SignalDetails* signal_details() override { return live_.signal_details(); }
  gdbstub::SignalPassing* signal_passing() override { return live_.signal_passing(); }
  gdbstub::SystemCallCatching* system_call_catching() override {
    return live_.system_call_catching();
  }
  gdbstub::SystemTables* system_tables() override { return live_.system_tables(); }
  gdbstub::ThreadLocalStorage* thread_local_storage() override {
    return live_.thread_local_storage();
  }
  gdbstub::Writing* writing() override { return this; }

 private:
  /// They are about to change, by other calls than the process's own.
  void change_mappings(std::int32_t pid);
  [[nodiscard]] bool in_past(std::int32_t pid) const {
    return (past_ || passing_ || sure_) && pid_ == pid;
  }
  /// Where process `pid` is now, with its position.
  MomentPointer now(std::int32_t pid);
  [[nodiscard]] Goal goal(std::int32_t pid);
  [[nodiscard]] bool counts(const Passing& passing);
  [[nodiscard]] Passing looked_at() const;
  History& history_of(std::int32_t pid);
  /// Runs `work`, which the client may interrupt. Then, and when it fails, nothing has moved; an
  /// error is told beside a stop, since gdb asks again for ever when it waits for one and gets an
  /// error instead.
  void search(gdbstub::ThreadId thread, const std::function<void(History&)>& work);
  void find_backward(std::int32_t pid, History& history);
  void find_step_backward(std::int32_t pid, History& history);
  void go_to(std::int32_t pid, MomentPointer moment);
  void return_to_present();
  void tell(const gdbstub::StopReason& reason);
  void tell_stop(gdbstub::ThreadId thread, const gdbstub::StopReason& reason);
  void tell_found(std::int32_t pid, Found found);
  void continue_forward(History& history);
  void step_forward(History& history, const gdbstub::ResumeAction& action);
  bool take_planned_move(std::int32_t pid);
  // Where nothing is exact (time_target_sure.cc).
  [[nodiscard]] bool goes_by_sure_moments(std::int32_t pid) const;
  void go_to_sure_before(std::int32_t pid);
  void go_on_in_sure_moment(const gdbstub::ResumeAction& action, gdbstub::ThreadId thread);
  void show_sure(std::uint64_t number);
  void tell_sure_end();
  [[nodiscard]] std::string list_sure(std::int32_t pid) const;
  std::string where(std::int32_t pid);
  /// That of the recording; when there is none, the reason goes on to what was before.
  LiveRecording::Life& life(std::int32_t pid);
  /// A line on what was before the history; empty for what was not restored.
  [[nodiscard]] std::string before_history() const;
  std::string list(std::int32_t pid);
  std::string plan(std::int32_t pid, std::string_view place);
  std::string tag(std::int32_t pid, std::string_view name);
  std::string diff(std::int32_t pid, std::string_view places);
  /// By name or number; null is the present.
  MomentPointer named_moment(std::int32_t pid, std::string_view place);
  std::string back_to(std::int32_t pid, std::string_view memory);
  std::string record(std::string_view word);

  std::shared_ptr<LiveTree> tree_;
  LiveTarget live_;
  std::string origin_;  ///< LiveOptions.origin
  std::string origin_recording_;
  LiveRecording& recording_;
  snapshot::RegisterCodec codec_;
  UniqueFd announcer_;  ///< an eventfd
  std::optional<gdbstub::StopEvent> event_;
  gdbstub::StopEvent stop_;
  ClientSpeaks client_speaks_;
  std::string message_;
  bool interrupt_heard_ = false;  ///< before it was read
  const Passing* passing_ = nullptr;
  std::int32_t pid_ = 0;
  std::shared_ptr<const SureMoment> sure_;  ///< instead of past_, where nothing is exact
  std::uint64_t sure_number_ = 0;
  bool stepped_there_ = false;            ///< to sure_, by a step that something is to follow
  MomentPointer past_;                    ///< null in the present
  MomentPointer present_;                 ///< with its position, once that was asked for
  std::optional<MomentPointer> planned_;  ///< null pointer: the present
  std::map<gdbstub::Breakpoint, std::shared_ptr<const gdbstub::StopCondition>> inserted_;
};

}  // namespace icecore::replay
