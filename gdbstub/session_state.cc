// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/session_state.h"

#include <algorithm>

#include "gdbstub/reply.h"

namespace icecore::gdbstub {

MalformedPacket::MalformedPacket(const std::string& what) : Error("malformed packet: " + what) {}

std::vector<ThreadDescription> Context::threads() const {
  std::vector<ThreadDescription> all = target.threads();
  std::erase_if(all, [&](const ThreadDescription& thread) {
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
