// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline/time_target.h"

#include <sys/eventfd.h>

#include <utility>

#include "base/error.h"
#include "snapshot/capture/machine.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {

using snapshot::xstate_of;

namespace {

model::Machine this_machine() {
  model::Machine machine;
  snapshot::capture_machine(machine);
  return machine;
}

[[noreturn]] void throw_past() {
  throw Error("the past cannot be changed: go to the present first").set_hint("continue");
}

}  // namespace

TimeTarget::TimeTarget(std::shared_ptr<LiveTree> tree, const LiveOptions& options,
                       LiveRecording& recording)
    : tree_(tree),
      live_(std::move(tree), options),
      origin_(options.origin),
      origin_recording_(options.origin_recording),
      recording_(recording),
      codec_(this_machine()),
      announcer_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!announcer_.valid()) throw_errno("eventfd");
}

gdbstub::StopEvent TimeTarget::current_stop() {
  return past_ || sure_ ? stop_ : live_.current_stop();
}

Passing TimeTarget::looked_at() const {
  if (passing_ != nullptr) return *passing_;
  return {past_->pid, past_->process->memory(), past_->registers};
}

gdbstub::RegisterValues TimeTarget::read_registers(gdbstub::ThreadId thread) {
  if (!in_past(thread.pid)) return live_.read_registers(thread);
  snapshot::RegisterImages images;
  if (sure_ && passing_ == nullptr) {
    const auto& then = sure_->threads().at(thread.tid);
    images.general.assign(reinterpret_cast<const char*>(&then.registers), sizeof then.registers);
    images.xstate = then.xstate;
    return codec_.decode(images);
  }
  const Passing now = looked_at();
  images.general.assign(reinterpret_cast<const char*>(&now.registers), sizeof now.registers);
  images.xstate = xstate_of(now.pid);
  return codec_.decode(images);
}

std::size_t TimeTarget::read_memory(std::int32_t pid, std::uint64_t address,
                                    std::span<std::byte> out) {
  if (!in_past(pid)) return live_.read_memory(pid, address, out);
  if (sure_ && passing_ == nullptr) return sure_->read(address, out);
  return looked_at().memory.read_some(address, out);
}

void TimeTarget::write_memory(std::int32_t pid, std::uint64_t address,
                              std::span<const std::byte> bytes) {
  if (in_past(pid)) throw_past();
  if (bytes.empty()) return live_.writing()->write_memory(pid, address, bytes);
  present_ = nullptr;
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  recording_.change_memory(tree_->process(pid), {address, std::string(text, bytes.size())},
                           [&] { live_.writing()->write_memory(pid, address, bytes); });
}

void TimeTarget::write_registers(gdbstub::ThreadId thread, const gdbstub::RegisterValues& values) {
  if (in_past(thread.pid)) throw_past();
  present_ = nullptr;
  recording_.change_registers(tree_->process(thread.pid), tree_->stopped_thread(thread),
                              [&] { live_.writing()->write_registers(thread, values); });
}

void TimeTarget::change_mappings(std::int32_t pid) {
  if (in_past(pid)) throw_past();
  present_ = nullptr;
  for (const auto& [tid, thread] : tree_->process(pid).threads) {
    recording_.missed(thread, "the debugger has taken memory in it, or given some back");
  }
}

std::uint64_t TimeTarget::allocate(std::int32_t pid, const gdbstub::AllocationRequest& request) {
  change_mappings(pid);
  return live_.allocation()->allocate(pid, request);
}

void TimeTarget::release(std::int32_t pid, std::uint64_t address) {
  change_mappings(pid);
  live_.allocation()->release(pid, address);
}

void TimeTarget::detach(std::int32_t pid) {
  return_to_present();
  live_.detach(pid);
}

void TimeTarget::kill(std::int32_t pid) {
  return_to_present();
  live_.kill(pid);
}

bool TimeTarget::supports(gdbstub::Breakpoint::Kind kind) const {
  return const_cast<LiveTarget&>(live_).breakpoints()->supports(kind);
}

void TimeTarget::insert(const gdbstub::Breakpoint& breakpoint) {
  insert_conditional(breakpoint, nullptr);
}

void TimeTarget::insert_conditional(const gdbstub::Breakpoint& breakpoint,
                                    std::shared_ptr<const gdbstub::StopCondition> condition) {
  inserted_.insert_or_assign(breakpoint, condition);
  if (in_past(breakpoint.pid)) return;
  live_.breakpoints()->insert_conditional(breakpoint, std::move(condition));
}

void TimeTarget::remove(const gdbstub::Breakpoint& breakpoint) {
  inserted_.erase(breakpoint);
  live_.breakpoints()->remove(breakpoint);
}

}  // namespace icecore::replay
