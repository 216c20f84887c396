// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_monitor.h"

#include <charconv>
#include <cstdio>

#include "base/error.h"
#include "snapshot/view_history.h"
#include "snapshot/view_time_text.h"

namespace icecore::snapshot {
namespace {

constexpr std::string_view kHelp =
    "This is a read-only view of one snapshot: nothing runs and nothing can be changed.\n"
    "  continue, reverse-continue   the next, the previous snapshot of the recording\n"
    "  watch EXPRESSION             then they stop at the first snapshot where it differs\n"
    "  monitor when                 the name of this moment\n"
    "  monitor info                 where this is\n"
    "  monitor list                 all snapshots on this line of history\n"
    "  monitor tag                  those that have a tag\n"
    "  monitor goto N|TAG           the next continue or stepi arrives there\n"
    "  monitor back-to ADDR[,LEN]   the snapshot before these bytes changed: the same way\n"
    "  monitor diff N [M]           what was written between here (or N) and M\n"
    "  monitor process [PID]        the processes; how to look at another one\n"
    "  monitor exit                 end of serving\n";

std::string_view cause_word(model::Cause::Kind kind) {
  switch (kind) {
    case model::Cause::PERIODIC:
      return "periodic";
    case model::Cause::REQUESTED:
      return "requested";
    case model::Cause::CRASH:
      return "crash";
    case model::Cause::EXIT:
      return "exit";
    default:
      return "unknown";
  }
}

std::string line_of(const store::SnapshotSummary& summary, const store::SnapshotKey& here) {
  char text[160];
  std::snprintf(
      text, sizeof text, "%c %6llu  %s  %9llu us pause  %3u processes %4u threads",
      summary.key == here ? '*' : ' ', static_cast<unsigned long long>(summary.key.number),
      local_time(summary.realtime_ns).c_str(), static_cast<unsigned long long>(summary.pause_us),
      summary.processes, summary.threads);
  std::string line = text;
  if (!summary.tag.empty()) line += "  " + summary.tag;
  if (summary.cause == "crash") line += "  (crash)";
  return line + "\n";
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::string ViewMonitor::run(std::string_view line, gdbstub::ThreadId current) {
  line = trimmed(line);
  const std::string_view verb = line.substr(0, line.find(' '));
  const std::string_view rest = trimmed(line.substr(verb.size()));
  if (verb == "help" || verb.empty()) return std::string(kHelp);
  if (verb == "info") return info();
  if (verb == "list") return list(Rows::All);
  if (verb == "tag" && rest.empty()) return list(Rows::Tagged);
  if (verb == "tag") {
    Error error("a view cannot set a tag");
    error.set_hint("icecore tag " + moment_.snapshot().key().text() + " " + std::string(rest));
    throw error;
  }
  if (verb == "when") return ViewHistory(moment_, travel_).when();
  if (verb == "back-to") return ViewHistory(moment_, travel_).back_to(rest, current);
  if (verb == "diff") return ViewHistory(moment_, travel_).diff(rest);
  if (verb == "goto") return go_to(rest, current);
  if (verb == "process") return process(rest, current);
  Error error("'" + std::string(verb) + "' is no monitor command of a view");
  error.set_hint("monitor help");
  throw error;
}

std::string ViewMonitor::info() const {
  const model::Snapshot& model = moment_.model();
  const auto& timing = model.timing();
  std::string text = moment_.snapshot().key().text();
  if (!model.tag().empty()) text += " (" + model.tag() + ")";
  text += "\n  taken      " + local_time(model.clocks().realtime_ns()) + ", " +
          std::string(cause_word(model.cause().kind())) + "\n";
  text += "  pause      " + std::to_string(timing.pause_us()) + " us (freeze " +
          std::to_string(timing.freeze_us()) + ", dump " + std::to_string(timing.dump_us()) +
          ", resume " + std::to_string(timing.resume_us()) + ")\n";
  text += "  processes  " + std::to_string(model.processes_size()) + ", threads " +
          std::to_string(moment_.threads().size()) + "\n";
  text += "  dirty      " + std::to_string(timing.dirty_bytes()) + " bytes\n";
  text += "  state      read-only view, stopped\n";
  if (travel_.destination()) {
    text += "  next       " + travel_.destination()->text() + " (monitor goto)\n";
  }
  for (const auto& limitation : model.limitations()) {
    text += "  not held   process " + std::to_string(limitation.pid()) + " " + limitation.object() +
            ": " + limitation.reason() + "\n";
  }
  return text;
}

std::string ViewMonitor::list(Rows rows) const {
  std::string text;
  const store::SnapshotKey& here = moment_.snapshot().key();
  for (const auto& summary : moment_.sequence().line(here)) {
    if (rows == Rows::Tagged && summary.tag.empty()) continue;
    text += line_of(summary, here);
  }
  if (text.empty()) text = "no snapshot on this line of history has a tag\n";
  return text;
}

std::string ViewMonitor::go_to(std::string_view name, gdbstub::ThreadId current) {
  if (name.empty()) {
    Error error("goto needs the number or the tag of a snapshot");
    error.set_hint("monitor list");
    throw error;
  }
  const store::SnapshotKey key = moment_.sequence().resolve(name);
  travel_.go_to_next(key, current.pid);
  return "the next continue or stepi arrives at " + key.text() + "\n";
}

std::string ViewMonitor::process(std::string_view pid, gdbstub::ThreadId current) {
  if (pid.empty()) {
    std::string text;
    for (const auto& process : moment_.model().processes()) {
      text += (process.pid() == current.pid ? "* " : "  ") + std::to_string(process.pid()) + "  " +
              process.comm() + ", " + std::to_string(process.threads_size()) + " threads\n";
    }
    return text;
  }
  std::int32_t number = 0;
  const auto [end, failure] = std::from_chars(pid.data(), pid.data() + pid.size(), number);
  if (failure != std::errc() || end != pid.data() + pid.size()) {
    throw Error("'" + std::string(pid) + "' is no process id");
  }
  const model::Process& process = moment_.process(number);
  return process.comm() + " is shown beside this one, after target extended-remote, by:\n" +
         "  add-inferior\n  inferior 2\n  attach " + std::to_string(number) + "\n";
}

}  // namespace icecore::snapshot
