// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/pager.h"
#include "cli/process_text.h"
#include "cli/quantities.h"
#include "cli/snapshot_diff.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"BEFORE", Argument::Count::One, Completes::Snapshot},
    Argument{"AFTER", Argument::Count::Optional, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"registers", 'r', "", "also print every register that changed"},
    Option{"json", 0, "", "print one JSON object"},
};

/// Prints a diff as lines that begin with +, - or ~, coloured as git colours them.
class DiffPrinter {
 public:
  enum class Registers { Named, Whole };
  DiffPrinter(bool colour, Registers registers) : colour_(colour), registers_(registers) {}

  void print(const SnapshotDiff& diff) const {
    print_changes("processes", "", diff.processes);
    for (const auto& process : diff.process_diffs) print_process(process);
  }

 private:
  void print_line(char sign, const std::string& indent, const std::string& text) const {
    const char* paint = sign == '+' ? "\033[32m" : sign == '-' ? "\033[31m" : "\033[33m";
    std::cout << indent << (colour_ ? paint : "") << sign << " " << text
              << (colour_ ? "\033[0m" : "") << "\n";
  }

  void print_changes(const std::string& title, const std::string& indent,
                     const std::vector<Change>& changes) const {
    if (changes.empty()) return;
    std::cout << indent << title << "\n";
    for (const auto& [name, before, after] : changes) {
      const std::string inner = indent + "  ";
      if (before.empty()) {
        print_line('+', inner, name + " " + after);
      } else if (after.empty()) {
        print_line('-', inner, name + " " + before);
      } else {
        print_line('~', inner, name + ": " + before + " -> " + after);
      }
    }
  }

  void print_process(const ProcessDiff& diff) const {
    std::cout << (colour_ ? "\033[1m" : "") << "process " << diff.after->pid() << " "
              << command_text(*diff.after) << (colour_ ? "\033[0m" : "") << "\n";
    print_changes("itself", "  ", diff.identity);
    print_changes("threads", "  ", diff.threads);
    for (const auto& thread : diff.thread_diffs) print_thread(thread);
    print_changes("mappings", "  ", diff.mappings);
    print_changes("descriptors", "  ", diff.descriptors);
    print_memory(diff);
  }

  void print_thread(const ThreadDiff& thread) const {
    const std::string title = "thread " + std::to_string(thread.tid) + " " + thread.name;
    print_changes(title, "  ", thread.changes);
    if (thread.registers.empty()) return;
    if (registers_ == Registers::Whole) {
      print_changes(title + ": registers", "  ", thread.registers);
      return;
    }
    std::string names;
    for (const auto& change : thread.registers) names += " " + change.name;
    if (thread.changes.empty()) std::cout << "  " << title << "\n";
    print_line('~', "    ", "registers:" + names);
  }

  void print_memory(const ProcessDiff& diff) const {
    if (!diff.memory_unknown.empty()) {
      std::cout << "  memory: not compared: " << diff.memory_unknown << "\n";
    }
    if (!diff.variables.empty()) std::cout << "  variables\n";
    for (const auto& change : diff.variables) {
      print_line('~', "    ", symbols::format_change(change));
    }
    if (!diff.memory.empty()) std::cout << "  memory\n";
    for (const auto& change : diff.memory) {
      print_line('~', "    ",
                 change.mapping + ": " + count_text(change.bytes, "byte") + " in " +
                     count_text(change.pages, "page"));
    }
  }

  bool colour_;
  Registers registers_;
};

Json to_json(const std::vector<Change>& changes) {
  Json array = Json::array();
  for (const auto& [name, before, after] : changes) {
    array.push_back({{"name", name}, {"before", before}, {"after", after}});
  }
  return array;
}

Json to_json(const ProcessDiff& diff) {
  Json threads = Json::array();
  for (const auto& thread : diff.thread_diffs) {
    threads.push_back({{"tid", thread.tid},
                       {"name", thread.name},
                       {"changes", to_json(thread.changes)},
                       {"registers", to_json(thread.registers)}});
  }
  Json memory = Json::array();
  for (const auto& change : diff.memory) {
    Json pages = Json::array();
    for (const auto address : change.addresses) pages.push_back(hex_text(address));
    memory.push_back({{"mapping", change.mapping},
                      {"start", hex_text(change.start)},
                      {"bytes", change.bytes},
                      {"pages", pages}});
  }
  Json variables = Json::array();
  for (const auto& change : diff.variables) {
    variables.push_back({{"name", change.name},
                         {"before", change.before},
                         {"after", change.after},
                         {"file", change.file}});
  }
  return {{"pid", diff.after->pid()},
          {"command", command_text(*diff.after)},
          {"identity", to_json(diff.identity)},
          {"threads", to_json(diff.threads)},
          {"thread_changes", threads},
          {"mappings", to_json(diff.mappings)},
          {"descriptors", to_json(diff.descriptors)},
          {"memory", memory},
          {"variables", variables},
          {"memory_unknown", diff.memory_unknown}};
}

void print_json(const snapshot::StoredSnapshot& before, const snapshot::StoredSnapshot& after,
                const SnapshotDiff& diff) {
  Json processes = Json::array();
  for (const auto& process : diff.process_diffs) processes.push_back(to_json(process));
  std::cout << json_text({{"version", kJsonVersion},
                          {"before", before.key().text()},
                          {"after", after.key().text()},
                          {"processes", to_json(diff.processes)},
                          {"process_changes", processes}});
}

std::pair<store::SnapshotKey, store::SnapshotKey> chosen(const Invocation& invocation,
                                                         const store::Store& store) {
  const std::string first = invocation.argument(0);
  if (invocation.arguments().size() == 2) {
    return {store.resolve(first), store.resolve(invocation.argument(1))};
  }
  if (const auto dots = first.find(".."); dots != std::string::npos) {
    return {store.resolve(first.substr(0, dots)), store.resolve(first.substr(dots + 2))};
  }
  throw UsageError("icecore diff: AFTER is missing")
      .set_why("it takes two snapshots, as BEFORE AFTER or BEFORE..AFTER");
}

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const auto [first, second] = chosen(invocation, store);
  const snapshot::StoredSnapshot before(store, first);
  const snapshot::StoredSnapshot after(store, second);
  const SnapshotDiff diff = diff_snapshots(before, after);
  if (invocation.has("json")) {
    print_json(before, after, diff);
    return 0;
  }
  const Pager pager(invocation);
  if (diff.processes.empty() && diff.process_diffs.empty()) {
    std::cout << "nothing differs between " << first.text() << " and " << second.text() << "\n";
    return 0;
  }
  DiffPrinter(pager.colour(), invocation.has("registers") ? DiffPrinter::Registers::Whole
                                                          : DiffPrinter::Registers::Named)
      .print(diff);
  return 0;
}

}  // namespace

Command diff_command() {
  return {
      .name = "diff",
      .group = Group::Look,
      .summary = "say what differs between two snapshots",
      .usage =
          "diff [--registers] [--json] BEFORE AFTER\ndiff [--registers] [--json] BEFORE..AFTER",
      .description =
          "Processes, threads, mappings, descriptors, registers and memory that came (+), went (-) "
          "or changed (~). Changed memory is counted byte by byte, by mapping, and by variable "
          "where debug information tells.",
      .arguments = kArguments,
      .options = kOptions,
      .examples = "icecore diff redis-server@3 redis-server@4",
      .run = run};
}

}  // namespace icecore::cli
