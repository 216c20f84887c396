// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/descriptor_text.h"
#include "cli/mapping_text.h"
#include "cli/model_json.h"
#include "cli/open_store.h"
#include "cli/pager.h"
#include "cli/process_text.h"
#include "cli/quantities.h"
#include "cli/snapshot_image.h"
#include "cli/syscall_text.h"
#include "cli/thread_stacks.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::One, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"json", 0, "",
           "print all that is known of it: the model, under the names of its .proto files"},
    Option{"all", 'a', "", "print every mapping, every descriptor and whole stacks"},
    Option{"frames", 'f', "N", "print so many frames of each thread", Completes::Nothing, "3"},
};
constexpr int kDescriptorsShown = 16;

/// What one run of `show` looks at.
class Shown {
 public:
  Shown(const Invocation& invocation, const snapshot::StoredSnapshot& snapshot, bool colour)
      : snapshot_(snapshot),
        model_(snapshot.model()),
        all_(invocation.has("all")),
        colour_(colour),
        frames_(all_ ? ThreadStacks::kWhole : invocation.number("frames").value_or(0)) {}

  void print(const store::SnapshotSummary& summary) {
    print_header(summary);
    print_limitations();
    std::cout << "\n" << bold("processes") << "\n" << process_tree_text(model_);
    for (const auto& process : model_.processes()) print_process(process);
  }

 private:
  [[nodiscard]] std::string bold(const std::string& text) const {
    return colour_ ? "\033[1m" + text + "\033[0m" : text;
  }

  void print_header(const store::SnapshotSummary& summary) const {
    std::cout << bold(summary.key.text());
    if (!summary.tag.empty()) std::cout << " (" << summary.tag << ")";
    std::cout << ", taken " << local_time_text(summary.realtime_ns) << ", " << summary.cause;
    if (model_.cause().signal() != 0) {
      std::cout << " of " << signal_text(model_.cause().signal()) << " in thread "
                << model_.cause().tid();
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

  void print_limitations() const {
    if (model_.limitations().empty()) return;
    std::cout << "\n" << bold("what it could not hold") << "\n";
    for (const auto& limit : model_.limitations()) {
      std::cout << "  process " << limit.pid();
      if (limit.tid() != 0 && limit.tid() != limit.pid()) std::cout << " thread " << limit.tid();
      std::cout << ": " << limit.object() << ": " << limit.reason()
                << (limit.effect() == model::Limitation::VIEW_ONLY ? " (cannot be restored)" : "")
                << "\n";
    }
  }

  void print_process(const model::Process& process) {
    std::cout << "\n" << bold("process " + std::to_string(process.pid()) + " " + process.comm());
    const std::string state = state_text(process);
    if (!state.empty()) std::cout << " (" << state << ")";
    std::cout << "\n  parent " << process.parent_pid() << ", group " << process.process_group()
              << ", session " << process.session() << ", user " << process.credentials().uid()
              << "\n";
    if (!process.executable().empty()) {
      std::cout << "  runs " << process.executable()
                << (process.executable_deleted() ? " (deleted)" : "") << " in "
                << process.working_directory() << "\n";
    }
    print_threads(process);
    print_mappings(process);
    print_descriptors(process);
  }

  void print_threads(const model::Process& process) {
    ThreadStacks stacks(snapshot_, process, modules_);
    for (const auto& thread : process.threads()) {
      std::cout << "  thread " << thread.tid() << " " << thread.name() << ": "
                << syscall_text(thread.system_call());
      if (thread.stop_signal() != 0) {
        std::cout << ", about to get " << signal_text(thread.stop_signal());
      }
      std::cout << "\n";
      if (frames_ != 0) std::cout << stacks.text(thread, frames_, "    ");
    }
  }

  void print_mappings(const model::Process& process) const {
    if (process.mappings().empty()) return;
    std::cout << "  " << count_text(static_cast<std::uint64_t>(process.mappings_size()), "mapping")
              << ": ";
    if (all_) {
      std::cout << "\n";
      for (const auto& mapping : process.mappings()) {
        std::cout << "    " << mapping_text(mapping) << "\n";
      }
      return;
    }
    std::string line;
    for (const auto& part : mapping_summary(process)) line += (line.empty() ? "" : ", ") + part;
    std::cout << line << "\n";
  }

  [[nodiscard]] const model::OpenFile* open_file(std::uint32_t id) const {
    for (const auto& file : model_.open_files()) {
      if (file.id() == id) return &file;
    }
    return nullptr;
  }

  void print_descriptors(const model::Process& process) const {
    const int count = process.descriptors_size();
    if (count == 0) return;
    std::cout << "  " << count_text(static_cast<std::uint64_t>(count), "descriptor") << ":\n";
    const int shown = all_ ? count : std::min(count, kDescriptorsShown);
    for (const auto& descriptor : process.descriptors()) {
      if (&descriptor - &process.descriptors(0) >= shown) break;
      const auto* file = open_file(descriptor.description());
      std::cout << "    " << descriptor.fd() << ": "
                << (file == nullptr ? "unknown" : open_file_text(*file)) << "\n";
    }
    if (shown < count) std::cout << "    ... and " << count - shown << " more: --all\n";
  }

  const snapshot::StoredSnapshot& snapshot_;
  const model::Snapshot& model_;
  bool all_;
  bool colour_;
  std::size_t frames_;
  symbols::ModuleCache modules_;
};

/// The record has the tag of the day it was written; `icecore tag` may have given another since.
void print_json(model::Snapshot model, const std::string& tag) {
  model.set_tag(tag);
  Json object = {{"version", kJsonVersion}};
  object.update(model_json(model));
  std::cout << json_text(object);
}

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const auto key = store.resolve(invocation.argument(0));
  const snapshot::StoredSnapshot snapshot(store, key);
  if (invocation.has("json")) {
    print_json(snapshot.model(), store.summary(key).tag);
    return 0;
  }
  const Pager pager(invocation);
  Shown(invocation, snapshot, pager.colour()).print(store.summary(key));
  return 0;
}

}  // namespace

Command show_command() {
  return {
      .name = "show",
      .group = Group::Look,
      .summary = "show what is in a snapshot: processes, threads, memory, files",
      .usage = "show [--all] [--frames N] SNAPSHOT\nshow --json SNAPSHOT",
      .description =
          "What the snapshot could not hold is listed with the reason. Each thread is shown with "
          "the system call that it was in and the top of its stack.",
      .arguments = kArguments,
      .options = kOptions,
      .examples =
          "icecore show redis-server@-3\n"
          "icecore show --json @last | jq '.processes[].comm'",
      .run = run};
}

}  // namespace icecore::cli
