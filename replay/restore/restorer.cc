// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/restorer.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "replay/files/description_maker.h"
#include "replay/files/file_policy.h"
#include "replay/files/held_content.h"
#include "replay/files/inherited.h"
#include "replay/files/mapped_file.h"
#include "replay/files/own_file.h"
#include "replay/files/private_view.h"
#include "replay/files/tree_path.h"
#include "replay/restore/credentials.h"
#include "replay/restore/descriptor_table.h"
#include "replay/restore/ipc_objects.h"
#include "replay/restore/memory_builder.h"
#include "replay/restore/memory_segments.h"
#include "replay/restore/nursery.h"
#include "replay/restore/outer_terminal.h"
#include "replay/restore/process_attributes.h"
#include "replay/restore/release.h"
#include "replay/restore/seccomp.h"
#include "replay/restore/signal_state.h"
#include "replay/restore/stop_signal.h"
#include "replay/restore/support_check.h"
#include "replay/restore/thread_builder.h"
#include "replay/restore/timers.h"
#include "replay/restore/tree_builder.h"
#include "snapshot/proc/smaps.h"
#include "snapshot/tracing/affinity.h"

namespace icecore::replay {
namespace {

class Restoration {
 public:
  Restoration(const snapshot::StoredSnapshot& snapshot, const RestoreOptions& options)
      : snapshot_(snapshot), options_(options), transport_(transport_number(snapshot.model())) {}
  Restoration(const Restoration&) = delete;
  Restoration& operator=(const Restoration&) = delete;
  ~Restoration() {
    if (!done_) undo();
  }

  RestoredTree run();

 private:
  void make_tree();
  void make_files();
  void finish(RestoredProcess& process, bool owns_table);
  void hand_over(RestoredTree& result);
  void undo();

  const snapshot::StoredSnapshot& snapshot_;
  const RestoreOptions& options_;
  const snapshot::AffinityScope affinity_;
  Transport transport_;
  std::optional<Nursery> nursery_;
  std::optional<MemorySegments> segments_;
  std::optional<SharedObjects> shared_;
  std::optional<MemoryBuilder> memory_;
  std::optional<TreeBuilder> tree_;
  Surroundings surroundings_;
  std::vector<std::string> notes_;
  bool done_ = false;
};

void Restoration::make_tree() {
  const auto& model = snapshot_.model();
  Nursery::Options options;
  options.in_place = options_.in_place;
  options.detach = options_.detach;
  options.snapshot = snapshot_.key().text();
  options.clocks = model.clocks();
  options.clocks.set_monotonic_ns(model.clocks().monotonic_ns() +
                                  model.clocks().monotonic_offset_ns());
  options.clocks.set_boottime_ns(model.clocks().boottime_ns() +
                                 model.clocks().boottime_offset_ns());
  const auto changed = options_.files.changed;
  if (changed == FileOptions::Changed::Private) {
    options.private_directories = private_directories(model);
  } else if (changed == FileOptions::Changed::Sandbox) {
    SandboxDirectories directories = sandbox_directories(model);
    options.private_directories = std::move(directories.needed);
    options.wished_directories = std::move(directories.wished);
    options.other_files = Nursery::Options::OtherFiles::ReadOnly;
  }
  // Named memory is not shared with a living original, nor with another life.
  const bool own_memory =
      changed == FileOptions::Changed::Refuse && !options_.in_place && !named_memory(model).empty();
  if (own_memory) options.private_directories.emplace_back(kNamedMemory);
  options.new_ipc = needs_own_ipc(model, options_.in_place);
  options.new_uts = had_own_namespace(model, "uts");
  nursery_.emplace(options, transport_);
  surroundings_.root = nursery_->root();
  surroundings_.maker = &nursery_->puppet();
  surroundings_.in_place = options_.in_place;
  if (options_.own_file) {
    show_own_file(nursery_->puppet(), options_.own_file->path, options_.own_file->text);
  }
  if (options_.files.has_private_view()) fill_private_view(snapshot_, surroundings_.root);
  if (own_memory) fill_named_memory(snapshot_, surroundings_.root);
  if (changed == FileOptions::Changed::Sandbox) {
    take_present_files(snapshot_, surroundings_.root);
    if (auto taken = describe_taken_files(snapshot_); !taken.empty()) {
      notes_.push_back(std::move(taken));
    }
  }
  if (changed == FileOptions::Changed::Rollback) make_missing_files(snapshot_, surroundings_.root);
  segments_.emplace(snapshot_, nursery_->pid());
  make_ipc_objects(model, nursery_->pid());
  set_host_name(model, nursery_->pid());
  shared_.emplace(snapshot_, [this](const model::SharedObject& object) {
    return open_shared_file(snapshot_, object, surroundings_, options_.files);
  });
  // Whoever has such memory open as a file gets the same.
  for (const auto& object : model.shared_objects()) {
    if (object.kind() != model::SharedObject::MEMFD) continue;
    surroundings_.lost->find_or_make(
        object.identity(), [&] { return reopen(shared_->descriptor(object.space()), O_RDWR); });
  }
  memory_.emplace(snapshot_, *shared_, transport_,
                  MemoryBuilder::Files{[this](const model::Mapping& mapping) {
                                         const bool writable =
                                             mapping.shared() &&
                                             snapshot::proc::has_vm_flag(mapping.flags(), "mw");
                                         return open_mapped_file(snapshot_, mapping, surroundings_,
                                                                 writable, options_.files);
                                       },
                                       [this](const model::Process& process) {
                                         return open_executable(snapshot_, process, surroundings_);
                                       },
                                       options_.pages, options_.late});
  tree_.emplace(model, *nursery_, TreeBuilder::Bank{options_.bank, &transport_}, options_.in_place,
                [this](RestoredProcess& process, const RestoredProcess* image) {
                  with_context("process " + std::to_string(process.model->pid()),
                               [&] { memory_->build(process, image); });
                });
  if (options_.terminal >= 0 && outer_terminal(model) != nullptr) tree_->join_our_session();
  tree_->build();
  for (const auto& process : tree_->processes()) {
    surroundings_.pids[process->model->pid()] = process->puppet.pid();
    if (process->model->state() != model::Process::ZOMBIE) {
      surroundings_.puppets[process->model->pid()] = &process->puppet;
    }
    if (process->model->state() != model::Process::ZOMBIE) make_threads(*process);
  }
}

void Restoration::make_files() {
  const auto descriptions = make_descriptions(snapshot_, options_.files, surroundings_);
  std::set<std::uint32_t> tables;
  for (const auto& process : tree_->processes()) {
    const auto& known = *process->model;
    if (known.state() == model::Process::ZOMBIE) continue;
    with_context("process " + std::to_string(known.pid()), [&] {
      const bool own_root = known.root_directory() != "/" && !known.root_directory().empty();
      const Directories directories{
          own_root ? open_root_directory(known, surroundings_) : UniqueFd(),
          open_working_directory(known, surroundings_)};
      if (tables.insert(known.descriptor_table()).second) {
        fill_descriptor_table(*process, descriptions, directories, transport_);
      } else {
        set_directories(*process, directories, transport_);
      }
    });
  }
  for (const auto& process : tree_->processes()) {
    if (process->model->state() == model::Process::ZOMBIE) continue;
    finish_descriptions(snapshot_, *process->model, process->puppet, surroundings_);
  }
}

void Restoration::finish(RestoredProcess& process, bool owns_table) {
  const auto& known = *process.model;
  for (const auto& thread : known.threads()) {
    const auto tid = process.threads.find(thread.tid());
    if (tid == process.threads.end()) continue;
    CallBatch batch(process.puppet, tid->second);
    if (tid->second == process.puppet.pid()) {
      if (owns_table) close_transport(transport_, batch);
      set_signal_actions(process, batch);
      set_own_attributes(process, batch);
    }
    set_thread_state(thread, batch);
    batch.run();
  }
  memory_->seal(process);
  if (known.state() == model::Process::LEADER_EXITED) {
    // Its place is taken by another thread; nothing can be asked of it any more.
    end_leader(process);
    process.threads.erase(known.pid());
    process.puppet.drive_by(process.threads.begin()->second);
  }
  set_timers(process);
  queue_signals(process);
  set_attributes(process, notes_);
  install_seccomp(process);
  for (const auto& thread : known.threads()) {
    const auto tid = process.threads.find(thread.tid());
    if (tid != process.threads.end()) set_credentials(process, thread, tid->second);
  }
}

RestoredTree Restoration::run() {
  snapshot::move_to_cpu(::sched_getcpu());
  make_tree();
  make_files();
  tree_->end_zombies();
  std::set<std::uint32_t> tables;
  for (const auto& process : tree_->processes()) {
    if (process->model->state() == model::Process::ZOMBIE) continue;
    with_context("process " + std::to_string(process->model->pid()), [&] {
      finish(*process, tables.insert(process->model->descriptor_table()).second);
    });
  }
  for (const auto& process : tree_->processes()) {
    if (process->model->state() != model::Process::ZOMBIE) set_registers(*process);
  }
  for (const auto& process : tree_->processes()) {
    if (process->model->state() != model::Process::ZOMBIE) set_scheduling(*process, notes_);
  }
  RestoredTree result;
  const RestoredProcess* root = tree_->find(snapshot_.model().root_pid());
  result.root_pid = root == nullptr ? 0 : root->puppet.pid();
  result.inner_root = root == nullptr ? 0 : inner_pid(*root->model);
  if (options_.files.changed == FileOptions::Changed::Rollback) {
    roll_back_files(snapshot_, surroundings_.root);
  }
  segments_->keep();
  nursery_->let_go(result.inner_root);
  result.init_pid = options_.in_place ? 0 : nursery_->pid();
  result.reports = nursery_->take_reports();
  if (options_.terminal >= 0) {
    const auto trouble =
        hand_over_terminal(options_.terminal, snapshot_.model(), surroundings_.pids);
    if (!trouble.empty()) notes_.push_back(trouble);
  }
  // From here on nothing can fail.
  hand_over(result);
  done_ = true;
  result.notes = tree_->notes();
  result.notes.insert(result.notes.end(), notes_.begin(), notes_.end());
  return result;
}

/// Children first: a parent finds them as they were.
void Restoration::hand_over(RestoredTree& result) {
  for (auto process = tree_->processes().rbegin(); process != tree_->processes().rend();
       ++process) {
    if ((*process)->model->state() == model::Process::ZOMBIE) continue;
    const int stopped_by = stop_signal(snapshot_.model(), *(*process)->model);
    if (options_.handover == RestoreOptions::Handover::Released) {
      release(**process, stopped_by == 0 && options_.stopped ? SIGSTOP : stopped_by);
    } else {
      result.traced.insert(result.traced.begin(), keep_traced(**process, stopped_by));
    }
  }
}

void Restoration::undo() {
  if (tree_) tree_->kill_all();
}

}  // namespace

Refusals check_restore(const snapshot::StoredSnapshot& snapshot, const RestoreOptions& options) {
  Refusals refusals = check_support(snapshot);
  for (auto& refusal : check_segments(snapshot.model(), options.in_place)) {
    refusals.push_back(std::move(refusal));
  }
  for (auto& refusal : check_mapped_files(snapshot, options.files)) {
    refusals.push_back(std::move(refusal));
  }
  for (auto& refusal : check_descriptions(snapshot, options.files, options.in_place)) {
    refusals.push_back(std::move(refusal));
  }
  for (auto& refusal : check_file_changes(snapshot, options.files, options.in_place)) {
    refusals.push_back(std::move(refusal));
  }
  return refusals;
}

RestoredTree restore(const snapshot::StoredSnapshot& snapshot, const RestoreOptions& options) {
  Restoration restoration(snapshot, options);
  return restoration.run();
}

}  // namespace icecore::replay
