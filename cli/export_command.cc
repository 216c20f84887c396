// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/quantities.h"
#include "cli/snapshot_image.h"
#include "snapshot/symbols/core_file.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::One, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"core", 'c', "FILE",
           "write ELF cores to FILE, or FILE.PID when there are several processes",
           Completes::File},
    Option{"process", 'p', "PID", "only this process"},
    Option{"json", 0, "", "print what was written as a JSON array"},
};

/// The processes that have something to write, as chosen; a zombie has no memory any more.
std::vector<const model::Process*> chosen(const Invocation& invocation,
                                          const snapshot::StoredSnapshot& snapshot) {
  const auto wish = invocation.number("process");
  std::vector<const model::Process*> processes;
  for (const auto& process : snapshot.model().processes()) {
    const bool asked = wish == static_cast<std::uint64_t>(process.pid());
    if (asked || (!wish && process.state() != model::Process::ZOMBIE)) {
      processes.push_back(&process);
    }
  }
  if (processes.empty()) {
    throw Error(wish ? "process " + std::to_string(*wish) + ": is not in " + snapshot.key().text()
                     : snapshot.key().text() + ": has no process with memory")
        .set_hint("icecore show " + snapshot.key().text());
  }
  return processes;
}

/// The thread that a debugger should show first: the one that was about to die.
int interesting_thread(const model::Snapshot& model, const model::Process& process) {
  for (const auto& thread : process.threads()) {
    if (thread.tid() == model.cause().tid()) return thread.tid();
  }
  return 0;
}

Json to_json(const std::string& path, int pid, const symbols::CoreSummary& core) {
  return {{"version", kJsonVersion},
          {"file", path},
          {"pid", pid},
          {"thread", core.current_tid},
          {"file_size", core.file_size},
          {"written_bytes", core.written_bytes},
          {"left_out", core.left_out}};
}

void print(const Invocation& invocation, const std::string& path, int pid,
           const symbols::CoreSummary& core) {
  std::cout << path << "\n";
  std::string note = "process " + std::to_string(pid) + ": " + bytes_text(core.file_size) + ", " +
                     bytes_text(core.written_bytes) + " of them written";
  for (const auto& area : core.left_out) note += "\n  left out: " + area;
  invocation.note(note);
}

int run(const Invocation& invocation) {
  if (!invocation.has("core")) {
    throw UsageError("icecore export: say what to write: --core FILE");
  }
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const snapshot::StoredSnapshot snapshot(store, store.resolve(invocation.argument(0)));
  const auto processes = chosen(invocation, snapshot);
  Json written = Json::array();
  for (const auto* process : processes) {
    const std::string pid = std::to_string(process->pid());
    const std::string path = invocation.text("core") + (processes.size() > 1 ? "." + pid : "");
    const SnapshotImage image(snapshot, *process);
    const auto core = with_context("export process " + pid, [&] {
      return symbols::write_core_file(image, path, interesting_thread(snapshot.model(), *process));
    });
    if (invocation.has("json")) {
      written.push_back(to_json(path, process->pid(), core));
    } else {
      print(invocation, path, process->pid(), core);
    }
  }
  if (invocation.has("json")) std::cout << json_text(written);
  return 0;
}

}  // namespace

Command export_command() {
  return {
      .name = "export",
      .group = Group::Look,
      .summary = "write ELF core files that any debugger opens",
      .usage = "export [--process PID] [--json] SNAPSHOT --core FILE",
      .description =
          "The cores hold everything, also the bytes of mapped files. They open in gdb and lldb "
          "with the executable beside them: gdb PROGRAM FILE.",
      .arguments = kArguments,
      .options = kOptions,
      .examples = "icecore export redis-server@-3 --core /tmp/redis.core",
      .run = run};
}

}  // namespace icecore::cli
