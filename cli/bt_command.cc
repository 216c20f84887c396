// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/pager.h"
#include "cli/process_text.h"
#include "cli/quantities.h"
#include "cli/syscall_text.h"
#include "cli/thread_stacks.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::One, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"all", 'a', "", "all processes of the tree, not only its root"},
    Option{"process", 'p', "PID", "the threads of this process"},
    Option{"thread", 't', "TID", "only this thread"},
    Option{"limit", 'n', "N", "at most so many frames of each thread"},
    Option{"json", 0, "", "print one JSON array of threads"},
};

struct Choice {
  std::optional<std::uint64_t> process;
  std::optional<std::uint64_t> thread;
  std::size_t limit;
};

Choice chosen(const Invocation& invocation, const model::Snapshot& model) {
  Choice choice{invocation.number("process"), invocation.number("thread"),
                invocation.number("limit").value_or(ThreadStacks::kWhole)};
  const bool everywhere = invocation.has("all") || choice.thread.has_value();
  if (!choice.process && !everywhere) {
    choice.process = static_cast<std::uint64_t>(model.root_pid());
    bool root_lives = false;
    for (const auto& process : model.processes()) root_lives |= process.pid() == model.root_pid();
    if (!root_lives) choice.process.reset();  // an orphaned tree has no root to prefer
  }
  return choice;
}

/// Calls `visit(process, stacks, thread)` for the threads that were chosen; throws when there are
/// none.
template <typename Visit>
void for_each_thread(const snapshot::StoredSnapshot& snapshot, const Choice& choice, Visit visit) {
  symbols::ModuleCache modules;
  bool any = false;
  for (const auto& process : snapshot.model().processes()) {
    if (choice.process && *choice.process != static_cast<std::uint64_t>(process.pid())) continue;
    const ThreadStacks stacks(snapshot, process, modules);
    for (const auto& thread : process.threads()) {
      if (choice.thread && *choice.thread != static_cast<std::uint64_t>(thread.tid())) continue;
      any = true;
      visit(process, stacks, thread);
    }
  }
  if (any) return;
  const std::string what = choice.thread ? "thread " + std::to_string(*choice.thread)
                                         : "process " + std::to_string(choice.process.value_or(0));
  throw Error(what + ": is not in " + snapshot.key().text() + ", or has no threads")
      .set_hint("icecore show " + snapshot.key().text());
}

Json to_json(const symbols::BacktraceLine& line) {
  return {{"number", line.number},
          {"pc", hex_text(line.frame.pc)},
          {"function", line.source.function.empty() ? line.symbol : line.source.function},
          {"file", line.source.file},
          {"line", line.source.line},
          {"inlined", line.source.inlined},
          {"module", line.module},
          {"module_offset", hex_text(line.module_offset)},
          {"found_by", symbols::to_string(line.frame.found_by)}};
}

void print_json(const snapshot::StoredSnapshot& snapshot, const Choice& choice) {
  Json threads = Json::array();
  for_each_thread(snapshot, choice,
                  [&](const auto& process, const auto& stacks, const auto& thread) {
                    const auto backtrace = stacks.stack(thread, choice.limit);
                    Json frames = Json::array();
                    for (const auto& line : backtrace.lines) frames.push_back(to_json(line));
                    threads.push_back({{"version", kJsonVersion},
                                       {"snapshot", snapshot.key().text()},
                                       {"pid", process.pid()},
                                       {"tid", thread.tid()},
                                       {"name", thread.name()},
                                       {"system_call", syscall_text(thread.system_call())},
                                       {"cut", backtrace.is_cut},
                                       {"frames", frames}});
                  });
  std::cout << json_text(threads);
}

void print_text(const snapshot::StoredSnapshot& snapshot, const Choice& choice, bool colour) {
  int last_pid = 0;
  for_each_thread(snapshot, choice,
                  [&](const auto& process, const auto& stacks, const auto& thread) {
                    if (process.pid() != last_pid) {
                      std::cout << (last_pid == 0 ? "" : "\n") << (colour ? "\033[1m" : "")
                                << "process " << process.pid() << " " << command_text(process)
                                << (colour ? "\033[0m" : "") << "\n";
                    }
                    last_pid = process.pid();
                    std::cout << "thread " << thread.tid() << " " << thread.name() << ": "
                              << syscall_text(thread.system_call()) << "\n"
                              << stacks.text(thread, choice.limit, "  ");
                  });
}

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const snapshot::StoredSnapshot snapshot(store, store.resolve(invocation.argument(0)));
  const Choice choice = chosen(invocation, snapshot.model());
  if (invocation.has("json")) {
    print_json(snapshot, choice);
    return 0;
  }
  const Pager pager(invocation);
  print_text(snapshot, choice, pager.colour());
  return 0;
}

}  // namespace

Command bt_command() {
  return {
      .name = "bt",
      .group = Group::Look,
      .summary = "print the backtraces of a snapshot's threads",
      .usage = "bt [--all | --process PID | --thread TID] [--limit N] [--json] SNAPSHOT",
      .description =
          "Stacks are unwound over the stored memory and files, and named with source lines and "
          "inlined functions where debug information tells. Without --all, the threads of the "
          "tree's root are printed.",
      .arguments = kArguments,
      .options = kOptions,
      .examples = "icecore bt --all nginx@14:03:20",
      .run = run};
}

}  // namespace icecore::cli
