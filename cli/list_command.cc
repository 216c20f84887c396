// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <iostream>
#include <limits>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/quantities.h"
#include "cli/text_table.h"

namespace icecore::cli {
namespace {

using Align = TextTable::Align;

constexpr std::array kArguments = {
    Argument{"NAME", Argument::Count::Optional, Completes::Recording},
};
constexpr std::array kOptions = {
    Option{"json", 0, "", "print one JSON array"},
    Option{"skipped", 0, "", "list the snapshots of NAME that were due but not taken, and why"},
};

TextTable::Heading heading(const Invocation& invocation) {
  return invocation.colour(STDOUT_FILENO) ? TextTable::Heading::Bold : TextTable::Heading::Plain;
}

template <typename Rows>
int print_json(const Rows& rows) {
  Json array = Json::array();
  for (const auto& row : rows) array.push_back(to_json(row));
  std::cout << json_text(array);
  return 0;
}

int list_recordings(const Invocation& invocation, const store::Store& store) {
  const auto recordings = store.recordings();
  if (invocation.has("json")) return print_json(recordings);
  if (recordings.empty()) {
    invocation.note("no recordings yet in " + store.directory().string() +
                    "; `icecore run -- PROGRAM ARGS` makes one");
    return 0;
  }
  TextTable table({{"NAME"},
                   {"SNAPSHOTS", Align::Right},
                   {"FIRST", Align::Right},
                   {"LAST", Align::Right},
                   {"TAKEN"},
                   {"STORED", Align::Right},
                   {"PID", Align::Right},
                   {"COMMAND"}});
  for (const auto& recording : recordings) {
    const bool empty = recording.snapshots == 0;
    table.add({recording.name, std::to_string(recording.snapshots),
               empty ? "-" : std::to_string(recording.first),
               empty ? "-" : std::to_string(recording.last),
               local_time_text(empty ? recording.created_ns : recording.last_ns),
               bytes_text(recording.stored_bytes), std::to_string(recording.root_pid),
               recording.command});
  }
  table.print(std::cout, heading(invocation));
  return 0;
}

std::vector<std::string> snapshot_cells(const store::SnapshotSummary& snapshot) {
  return {std::to_string(snapshot.key.number),
          local_time_text(snapshot.realtime_ns),
          snapshot.cause,
          snapshot.tag,
          std::to_string(snapshot.processes),
          std::to_string(snapshot.threads),
          bytes_text(snapshot.dirty_bytes),
          bytes_text(snapshot.stored_bytes),
          microseconds_text(snapshot.pause_us),
          snapshot.complete ? "" : "incomplete"};
}

int list_skipped(const Invocation& invocation, const store::Store& store) {
  const auto skipped = store.skips(invocation.argument(0));
  if (invocation.has("json")) return print_json(skipped);
  TextTable table({{"TIME"}, {"WHY IT WAS NOT TAKEN"}});
  for (const auto& skip : skipped) table.add({local_time_text(skip.realtime_ns), skip.reason});
  table.print(std::cout, heading(invocation));
  return 0;
}

int list_snapshots(const Invocation& invocation, const store::Store& store) {
  const auto snapshots = store.snapshots(invocation.argument(0));
  if (invocation.has("json")) return print_json(snapshots);
  const auto skips = store.skips(invocation.argument(0));
  TextTable table({{"N", Align::Right},
                   {"TIME"},
                   {"CAUSE"},
                   {"TAG"},
                   {"PROCS", Align::Right},
                   {"THREADS", Align::Right},
                   {"DIRTY", Align::Right},
                   {"STORED", Align::Right},
                   {"PAUSE", Align::Right},
                   {""}});
  auto skip = skips.begin();
  const auto add_skips_before = [&](std::int64_t realtime_ns) {
    for (; skip != skips.end() && skip->realtime_ns < realtime_ns; ++skip) {
      table.add({"-", local_time_text(skip->realtime_ns), "skipped: " + skip->reason});
    }
  };
  for (const auto& snapshot : snapshots) {
    add_skips_before(snapshot.realtime_ns);
    table.add(snapshot_cells(snapshot));
  }
  add_skips_before(std::numeric_limits<std::int64_t>::max());
  table.print(std::cout, heading(invocation));
  return 0;
}

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  if (!invocation.arguments().empty()) {
    return invocation.has("skipped") ? list_skipped(invocation, store)
                                     : list_snapshots(invocation, store);
  }
  if (invocation.has("skipped")) throw UsageError("--skipped: NAME is missing");
  return list_recordings(invocation, store);
}

}  // namespace

Command list_command() {
  return {
      .name = "list",
      .group = Group::Look,
      .summary = "list the recordings, or the snapshots of one and what each cost",
      .usage = "list [--json]\nlist [--json] [--skipped] NAME",
      .description =
          "DIRTY is the memory that had changed since the snapshot before, STORED what the store "
          "grew by, PAUSE the time in which the tree did not run. A snapshot is incomplete when "
          "something could not be held; `icecore show` says what.",
      .arguments = kArguments,
      .options = kOptions,
      .examples =
          "icecore list redis-server           # its snapshots\n"
          "icecore list redis-server --json | jq '.[-1].pause_us'",
      .run = run};
}

}  // namespace icecore::cli
