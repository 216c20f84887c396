// SPDX-License-Identifier: Apache-2.0
#include "replay/live/live_monitor.h"

#include "base/error.h"

namespace icecore::replay {
namespace {

constexpr std::string_view kHelp =
    "These are living processes: they run, and can be changed.\n"
    "  monitor info   what is debugged\n"
    "  monitor exit   end of serving; what was started or restored here ends, too\n";

}  // namespace

std::string LiveMonitor::run(std::string_view line, gdbstub::ThreadId current) {
  while (line.ends_with(' ')) line.remove_suffix(1);
  if (line.empty() || line == "help") return std::string(kHelp);
  if (line == "info") return info(current);
  throw Error("'" + std::string(line) + "' is no monitor command of living processes")
      .set_hint("monitor help");
}

std::string LiveMonitor::info(gdbstub::ThreadId current) const {
  std::string text = options_.title + "\n";
  for (const auto& [pid, process] : tree_.processes()) {
    const bool ours = process.ownership == LiveProcess::Ownership::Ours;
    text += (pid == current.pid ? "* " : "  ") + std::string("process ") + std::to_string(pid) +
            ", " + std::to_string(process.threads.size()) + " threads, " +
            (ours ? "ends with us" : "attached to") + "\n";
  }
  return text;
}

}  // namespace icecore::replay
