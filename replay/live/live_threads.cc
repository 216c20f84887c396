// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_threads.h"

#include <exception>
#include <string>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/stat.h"

namespace icecore::replay {
namespace {

gdbstub::ThreadDescription describe(const LiveThread& thread) {
  gdbstub::ThreadDescription description{thread.id, {}, -1};
  try {
    const std::string path = "/proc/" + std::to_string(thread.id.pid) + "/task/" +
                             std::to_string(thread.id.tid) + "/stat";
    const std::string text = snapshot::ProcDirectory::read_file(path);
    const auto stat = snapshot::proc::parse_stat(text);
    description.name = stat.name;
    description.core = stat.cpu;
  } catch (const std::exception&) {
    // It has just ended; its event follows.
  }
  return description;
}

}  // namespace

std::vector<gdbstub::ThreadDescription> describe_threads(const LiveTree& tree) {
  std::vector<gdbstub::ThreadDescription> all;
  for (const auto& [pid, process] : tree.processes()) {
    if (process.visibility == LiveProcess::Visibility::Hidden) continue;
    const auto leader = process.threads.find(pid);
    if (leader != process.threads.end()) all.push_back(describe(leader->second));
    for (const auto& [tid, thread] : process.threads) {
      if (tid != pid) all.push_back(describe(thread));
    }
  }
  return all;
}

}  // namespace icecore::replay
