// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/model_json.h"
#include "cli/open_store.h"
#include "cli/pager.h"
#include "cli/process_text.h"
#include "cli/quantities.h"
#include "cli/recorders.h"
#include "cli/snapshot_image.h"
#include "cli/thread_stacks.h"
#include "cli/tree_printer.h"
#include "snapshot/capture/live_view.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::One, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"json", 0, "",
           "print all that is known of it: the model, under the names of its .proto files"},
    Option{"all", 'a', "", "print every mapping, every descriptor and whole stacks"},
    Option{"live", 0, "",
           "look at the living tree of PID, or of the recording NAME, instead of a snapshot"},
    Option{"frames", 'f', "N", "print so many frames of each thread", Completes::Nothing, "3"},
};

TreePrinter::Extent extent(const Invocation& invocation) {
  return invocation.has("all") ? TreePrinter::Extent::Everything : TreePrinter::Extent::Summary;
}

TreePrinter::Colour colour(const Pager& pager) {
  return pager.colour() ? TreePrinter::Colour::Yes : TreePrinter::Colour::No;
}

void print_header(const store::SnapshotSummary& summary, const model::Snapshot& model,
                  const TreePrinter& printer) {
  std::cout << printer.bold(summary.key.text());
  if (!summary.tag.empty()) std::cout << " (" << summary.tag << ")";
  std::cout << ", taken " << local_time_text(summary.realtime_ns) << ", " << summary.cause;
  if (model.cause().signal() != 0) {
    std::cout << " of " << signal_text(model.cause().signal()) << " in thread "
              << model.cause().tid();
  }
  std::cout << "\n  " << count_text(summary.processes, "process") << ", "
            << count_text(summary.threads, "thread") << "; "
            << (summary.parent == 0 ? "the first of its recording"
                                    : "continues number " + std::to_string(summary.parent))
            << "\n  " << bytes_text(summary.dirty_bytes) << " had changed, "
            << bytes_text(summary.stored_bytes) << " stored\n  paused for "
            << microseconds_text(summary.pause_us) << ": freeze "
            << microseconds_text(summary.freeze_us) << ", dump "
            << microseconds_text(summary.dump_us) << ", resume "
            << microseconds_text(summary.resume_us) << "\n";
}

/// As the snapshot has it, with the top of every stack.
void print_stored(const Invocation& invocation, const snapshot::StoredSnapshot& snapshot,
                  const store::SnapshotSummary& summary) {
  const Pager pager(invocation);
  const bool all = invocation.has("all");
  const std::size_t frames = all ? ThreadStacks::kWhole : invocation.number("frames").value_or(0);
  symbols::ModuleCache modules;
  const auto stacks_of = [&](const model::Process& process) -> TreePrinter::Stack {
    if (frames == 0) return [](const auto&, const auto&) { return std::string(); };
    return [stacks = std::make_shared<ThreadStacks>(snapshot, process, modules), frames](
               const model::Thread& thread, const std::string& indent) {
      return stacks->text(thread, frames, indent);
    };
  };
  const TreePrinter printer(snapshot.model(), extent(invocation), colour(pager), stacks_of);
  print_header(summary, snapshot.model(), printer);
  printer.print();
}

void print_json(const model::Snapshot& model) {
  Json object = {{"version", kJsonVersion}};
  object.update(model_json(model));
  std::cout << json_text(object);
}

/// What /proc says of a tree at this moment; nothing of it is stopped or stored.
int show_live(const Invocation& invocation) {
  const std::string& word = invocation.argument(0);
  const auto recorder = find_recorder(invocation.store_directory(), word);
  const auto pid = recorder ? std::optional(recorder->report.root_pid) : as_pid(word);
  if (!pid) throw_not_recorded(invocation.store_directory(), word);
  model::Snapshot model = snapshot::view_live_tree(*pid, recorder ? recorder->report.owner_pid : 0);
  if (model.processes().empty()) {
    throw Error("show process " + std::to_string(*pid) + ": there is no such process")
        .set_hint("pgrep -a NAME finds the pid of a running program");
  }
  if (recorder) model.set_recording(recorder->recording);
  if (invocation.has("json")) {
    print_json(model);
    return 0;
  }
  const Pager pager(invocation);
  const TreePrinter printer(model, extent(invocation), colour(pager), [](const auto&) {
    return [](const auto&, const auto&) { return std::string(); };
  });
  std::cout << printer.bold("process " + std::to_string(*pid) + " as it is now");
  if (recorder) {
    std::cout << ", " << name_of(recorder->report.state) << ", recorded as " << recorder->recording;
  }
  std::cout << "\n";
  printer.print();
  return 0;
}

int run(const Invocation& invocation) {
  if (invocation.has("live")) return show_live(invocation);
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const auto key = store.resolve(invocation.argument(0));
  const snapshot::StoredSnapshot snapshot(store, key);
  if (invocation.has("json")) {
    // The record has the tag of the day it was written; `icecore tag` may have given another since.
    model::Snapshot model = snapshot.model();
    model.set_tag(store.summary(key).tag);
    print_json(model);
    return 0;
  }
  print_stored(invocation, snapshot, store.summary(key));
  return 0;
}

}  // namespace

Command show_command() {
  return {
      .name = "show",
      .group = Group::Look,
      .summary = "show what is in a snapshot: processes, threads, memory, files",
      .usage = "show [--all] [--frames N] [--json] SNAPSHOT\nshow --live [--all] [--json] NAME|PID",
      .description =
          "What the snapshot could not hold is listed with the reason. Each thread is shown with "
          "the system call that it was in and the top of its stack. With --live the same is read "
          "of "
          "a tree that lives, frozen or not, without stopping it; of memory and registers there is "
          "only what the kernel lists.",
      .arguments = kArguments,
      .options = kOptions,
      .examples =
          "icecore show redis-server@-3\n"
          "icecore show --json @last | jq '.processes[].comm'\n"
          "icecore show --live redis-server  # while it is frozen, say",
      .run = run};
}

}  // namespace icecore::cli
