// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gdbstub/reply.h"
#include "gdbstub/target/allocation.h"
#include "gdbstub/target/attaching.h"
#include "gdbstub/target/breakpoints.h"
#include "gdbstub/target/event_choice.h"
#include "gdbstub/target/execution.h"
#include "gdbstub/target/host_files.h"
#include "gdbstub/target/launching.h"
#include "gdbstub/target/memory_regions.h"
#include "gdbstub/target/monitor.h"
#include "gdbstub/target/non_stop.h"
#include "gdbstub/target/process_facts.h"
#include "gdbstub/target/signal_passing.h"
#include "gdbstub/target/system_call_catching.h"
#include "gdbstub/target/target.h"
#include "gdbstub/target/writing.h"

namespace icecore::gdbstub {

/// A target without a process: two threads, one page of memory at 0x1000, and abilities that a test
/// can take away.
class FakeTarget : public Target,
                   public Allocation,
                   public Attaching,
                   public Breakpoints,
                   public EventChoice,
                   public Execution,
                   public Launching,
                   public NonStop,
                   public SignalPassing,
                   public SystemCallCatching,
                   public ReverseExecution,
                   public HostFiles,
                   public MemoryRegions,
                   public Monitor,
                   public ProcessFacts,
                   public Writing {
 public:
  static constexpr std::uint64_t kMemory = 0x1000;

  FakeTarget() : layout(amd64_linux_layout({.avx = true})), memory(4096) {
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::byte>(i & 0xffU);
  }

  std::vector<ThreadDescription> threads() override { return living; }
  StopEvent current_stop() override { return {{10, 10}, Signalled{}}; }
  const RegisterLayout& register_layout() override { return layout; }
  RegisterValues read_registers(ThreadId thread) override {
    RegisterValues values(layout);
    const auto rip = layout.find("rip").value();
    values.bytes[layout.registers()[rip].offset] = static_cast<std::byte>(thread.tid);
    values.known[rip] = true;
    return values;
  }
  std::size_t read_memory(std::int32_t, std::uint64_t address, std::span<std::byte> out) override {
    if (address < kMemory || address >= kMemory + memory.size()) return 0;
    const std::size_t from = address - kMemory;
    const std::size_t count = std::min(out.size(), memory.size() - from);
    std::copy_n(memory.begin() + static_cast<std::ptrdiff_t>(from), count, out.begin());
    return count;
  }
  void detach(std::int32_t pid) override { calls.push_back("detach " + std::to_string(pid)); }
  void kill(std::int32_t pid) override { calls.push_back("kill " + std::to_string(pid)); }

  void resume(std::span<const ResumeAction> actions) override {
    for (const ResumeAction& action : actions) {
      const bool continues = action.kind == ResumeAction::Kind::Continue;
      const bool stops = action.kind == ResumeAction::Kind::Stop;
      calls.push_back((continues ? "continue "
                       : stops   ? "stop "
                                 : "step ") +
                      std::to_string(action.threads.pid) + "." +
                      std::to_string(action.threads.tid) + " signal " +
                      std::to_string(action.signal));
    }
  }
  void interrupt() override { calls.push_back("interrupt"); }
  std::optional<StopEvent> next_event() override {
    if (events.empty()) return std::nullopt;
    const StopEvent event = events.front();
    events.pop_front();
    return event;
  }
  void continue_backward(ThreadId thread) override {
    calls.push_back("back " + std::to_string(thread.tid));
  }
  void step_backward(ThreadId thread) override {
    calls.push_back("step back " + std::to_string(thread.tid));
  }

  bool supports(Breakpoint::Kind kind) const override {
    return kind != Breakpoint::Kind::ReadWatch;
  }
  void insert(const Breakpoint& breakpoint) override { inserted[breakpoint] = nullptr; }
  void remove(const Breakpoint& breakpoint) override { inserted.erase(breakpoint); }
  bool evaluates_conditions() const override { return true; }
  void insert_conditional(const Breakpoint& breakpoint,
                          std::shared_ptr<const StopCondition> condition) override {
    inserted[breakpoint] = std::move(condition);
  }

  std::uint64_t allocate(std::int32_t, const AllocationRequest& request) override {
    calls.push_back("allocate " + std::to_string(request.size) +
                    (request.executable ? " executable" : ""));
    return 0x7000;
  }
  void release(std::int32_t, std::uint64_t address) override {
    calls.push_back("release " + std::to_string(address));
  }
  StopEvent attach(std::int32_t pid) override {
    calls.push_back("attach " + std::to_string(pid));
    return {{pid, pid}, Signalled{0}};
  }
  StopEvent launch(const LaunchRequest& request) override {
    launches.push_back(request);
    living.push_back({{30, 30}, "launched", 0});
    return {{30, 30}, Signalled{}};
  }
  void want(const WantedEvents& choice) override { wanted = choice; }
  void catch_calls(std::int32_t, const CaughtSystemCalls& wanted_calls) override {
    caught = wanted_calls;
  }
  void pass_without_stop(const std::set<int>& signals) override { passed = signals; }
  void allow_delivery(const std::set<int>& signals) override { deliverable = signals; }
  void set_mode(Mode mode) override {
    calls.push_back(mode == Mode::NonStop ? "non-stop" : "all-stop");
  }
  std::vector<StopEvent> stopped_threads() override { return stopped; }

  int open(const OpenRequest& request) override {
    if (request.path != "/held") throw HostFileError("no such file", 2);
    return 3;
  }
  void close(int) override {}
  std::vector<std::byte> read(int, std::size_t count, std::uint64_t offset) override {
    const std::string text = "held}bytes";
    std::vector<std::byte> bytes;
    for (std::size_t i = offset; i < text.size() && bytes.size() < count; ++i) {
      bytes.push_back(static_cast<std::byte>(text[i]));
    }
    return bytes;
  }
  std::size_t write(int, std::span<const std::byte>, std::uint64_t) override {
    throw HostFileError("read-only", 30);
  }
  HostFileStatus status(int) override { return {.mode = 0100444, .size = 10}; }
  std::string read_link(std::int32_t, std::string_view) override { return "/held"; }
  void unlink(std::int32_t, std::string_view) override { throw HostFileError("read-only", 30); }

  std::vector<MemoryRegion> regions(std::int32_t) override {
    return {{kMemory, kMemory + memory.size(), true, true, false, "[fake]"}};
  }
  std::string run(std::string_view line, ThreadId) override {
    if (line == "bad") throw Error("cannot do that");
    return "you said " + std::string(line) + "\n";
  }
  std::string executable(std::int32_t pid) override { return "/program" + std::to_string(pid); }
  std::vector<std::byte> auxiliary_vector(std::int32_t) override { return {}; }
  std::int32_t parent(std::int32_t) override { return 1; }
  Origin origin(std::int32_t) override { return process_origin; }
  std::string host_name() override { return "host"; }
  std::string kernel_release() override { return "6.1.0-1"; }
  void write_memory(std::int32_t, std::uint64_t, std::span<const std::byte>) override {
    throw Error("this is read-only");
  }
  void write_registers(ThreadId, const RegisterValues&) override {
    throw Error("this is read-only");
  }

  Allocation* allocation() override { return has_all ? this : nullptr; }
  Attaching* attaching() override { return has_all ? this : nullptr; }
  EventChoice* event_choice() override { return has_all ? this : nullptr; }
  Launching* launching() override { return has_all ? this : nullptr; }
  NonStop* non_stop() override { return has_all ? this : nullptr; }
  SignalPassing* signal_passing() override { return has_all ? this : nullptr; }
  SystemCallCatching* system_call_catching() override { return has_all ? this : nullptr; }
  Breakpoints* breakpoints() override { return has_all ? this : nullptr; }
  Execution* execution() override { return has_all ? this : nullptr; }
  ReverseExecution* reverse_execution() override { return has_all ? this : nullptr; }
  HostFiles* host_files() override { return has_all ? this : nullptr; }
  MemoryRegions* memory_regions() override { return has_all ? this : nullptr; }
  Monitor* monitor() override { return has_all ? this : nullptr; }
  ProcessFacts* process_facts() override { return has_all ? this : nullptr; }
  Writing* writing() override { return has_all ? this : nullptr; }

  RegisterLayout layout;
  std::vector<std::byte> memory;
  bool has_all = true;
  Origin process_origin = Origin::Attached;
  std::deque<StopEvent> events;
  std::vector<std::string> calls;
  std::map<Breakpoint, std::shared_ptr<const StopCondition>> inserted;
  std::vector<ThreadDescription> living{
      {{10, 10}, "main", 0}, {{10, 11}, "a<b&\"c", 1}, {{20, 20}, "other", 0}};
  std::vector<StopEvent> stopped;
  std::vector<LaunchRequest> launches;
  WantedEvents wanted;
  CaughtSystemCalls caught;
  std::set<int> passed;
  std::set<int> deliverable;
};

}  // namespace icecore::gdbstub
