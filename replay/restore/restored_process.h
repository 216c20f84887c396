// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "replay/restore/address_map.h"
#include "replay/restore/puppet.h"
#include "snapshot/model/snapshot.pb.h"

namespace icecore::replay {

/// Ids as the innermost PID namespace of the process has them: what the program knows, and what it
/// gets back. 0 for a group or session that lies outside of that namespace.
[[nodiscard]] inline int inner_pid(const model::Process& process) {
  return process.namespace_pids().empty() ? process.pid() : *process.namespace_pids().rbegin();
}
[[nodiscard]] inline int inner_group(const model::Process& process) {
  const auto& ids = process.namespace_process_groups();
  return ids.empty() ? process.process_group() : *ids.rbegin();
}
[[nodiscard]] inline int inner_session(const model::Process& process) {
  const auto& ids = process.namespace_sessions();
  return ids.empty() ? process.session() : *ids.rbegin();
}
[[nodiscard]] inline int inner_tid(const model::Thread& thread) {
  return thread.namespace_tids().empty() ? thread.tid() : *thread.namespace_tids().rbegin();
}

/// "process 12 (nginx)", for messages.
[[nodiscard]] inline std::string name_of(const model::Process& process) {
  return "process " + std::to_string(inner_pid(process)) + " (" + process.comm() + ")";
}

/// A process of the snapshot and the puppet that becomes it.
struct RestoredProcess {
  const model::Process* model = nullptr;
  int pid = 0;  ///< in the tracer's PID namespace
  Puppet puppet;
  /// Thread.tid in the snapshot -> its id in the tracer's PID namespace. The leader comes first.
  std::map<int, int> threads{};
  /// Has its mappings and their contents.
  bool has_memory = false;
  /// All that is mapped then, the area included.
  std::vector<AddressRange> mapped{};
  bool has_seals = false;  ///< mappings that are to be sealed at the end
};

}  // namespace icecore::replay
