// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/session_state.h"

#include <algorithm>

#include "gdbstub/reply.h"

namespace icecore::gdbstub {

MalformedPacket::MalformedPacket(const std::string& what) : Error("malformed packet: " + what) {}

void SessionState::show(ThreadId thread) {
  std::erase(processes, thread.pid);
  processes.push_back(thread.pid);
  general = thread;
  resumed = {};
}

void SessionState::forget(const SessionNews& what) {
  std::erase(processes, what.pid);
  notifications.forget(what.pid);
  std::erase_if(saved_registers,
                [&](const auto& entry) { return entry.second.thread.pid == what.pid; });
  transfer_name.clear();
  report(what);
}

std::vector<ThreadDescription> Context::threads() const {
  std::vector<ThreadDescription> all = target.threads();
  const bool one_process = state.client == SessionState::Client::Lldb || !state.multiprocess;
  std::erase_if(all, [&](const ThreadDescription& thread) {
    if (one_process) return thread.id.pid != state.general.pid;
    return std::ranges::find(state.processes, thread.id.pid) == state.processes.end();
  });
  return all;
}

ThreadId Context::resolve(ThreadSelector selector) const {
  if (selector.pid <= 0 && selector.tid <= 0) return state.general;
  for (const ThreadDescription& thread : target.threads()) {
    if (selector.matches(thread.id)) return thread.id;
  }
  throw Error("no thread " + std::to_string(selector.tid) + " here");
}

ThreadId Context::resolve(std::string_view text) const {
  const auto selector = parse_thread_selector(text);
  if (!selector) throw MalformedPacket("no thread id");
  return resolve(*selector);
}

}  // namespace icecore::gdbstub
