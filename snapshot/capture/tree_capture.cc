// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/tree_capture.h"

#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <set>
#include <utility>

#include "base/clock.h"
#include "snapshot/capture/descriptors.h"
#include "snapshot/capture/ipc_objects.h"
#include "snapshot/capture/life_origin.h"
#include "snapshot/capture/limitations.h"
#include "snapshot/capture/machine.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/capture/memory_ranges.h"
#include "snapshot/capture/process_state.h"
#include "snapshot/capture/registers.h"
#include "snapshot/capture/remote_state.h"
#include "snapshot/capture/seccomp_filters.h"
#include "snapshot/capture/watched_paths.h"
#include "snapshot/proc/smaps.h"
#include "snapshot/tracing/task_list.h"

namespace icecore::snapshot {
namespace {

// Below this much dirty memory a copy ahead of the pause costs more than it saves.
constexpr std::uint64_t kWorthCopyingEarly = 2U << 20U;

bool same_memory(int a, int b) { return ::syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0) == 0; }

void add_limitation(model::Snapshot& snapshot, int pid, int tid, std::string object,
                    std::string reason, model::Limitation::Effect effect) {
  auto* limitation = snapshot.add_limitations();
  limitation->set_pid(pid);
  limitation->set_tid(tid);
  limitation->set_object(std::move(object));
  limitation->set_reason(std::move(reason));
  limitation->set_effect(effect);
}

/// `runs` with the pages [first, end) made absent.
std::vector<store::PageRun> without_pages(const std::vector<store::PageRun>& runs,
                                          std::uint64_t first, std::uint64_t end) {
  std::vector<store::PageRun> result;
  const auto part = [&result](store::PageRun run, std::uint64_t from, std::uint64_t to) {
    if (from >= to) return;
    if (run.data != nullptr) run.data += (from - run.first) * store::kPageSize;
    run.first = from;
    run.count = to - from;
    result.push_back(run);
  };
  for (const auto& run : runs) {
    const std::uint64_t run_end = run.first + run.count;
    const std::uint64_t cut = std::clamp(first, run.first, run_end);
    const std::uint64_t cut_end = std::clamp(end, cut, run_end);
    part(run, run.first, cut);
    if (cut < cut_end) {
      result.push_back({store::PageRun::Kind::Absent, cut, cut_end - cut, nullptr, {}});
    }
    part(run, cut_end, run_end);
  }
  return result;
}

/// Where the memory of a process changes when its threads run for us, but for memory that is gone
/// again: the main stack, and the areas in which the kernel tells threads about their CPU.
MemorySpace::Places written_for_us(const model::Process& process) {
  MemorySpace::Places places;
  for (const auto& mapping : process.mappings()) {
    if (mapping.name() == "[stack]") places.emplace_back(mapping.start(), mapping.end());
  }
  for (const auto& thread : process.threads()) {
    places.emplace_back(thread.rseq_address(), thread.rseq_address() + thread.rseq_length());
  }
  return places;
}

const model::Process* find_process(const model::Snapshot& snapshot, int pid) {
  for (const auto& process : snapshot.processes()) {
    if (process.pid() == pid) return &process;
  }
  return nullptr;
}

}  // namespace

TreeCapture::TreeCapture(TracedTree& tree, std::function<store::SpaceId()> new_space,
                         FileKeeping keeping, const BufferLimit& buffers)
    : tree_(tree),
      new_space_(std::move(new_space)),
      pool_(std::make_shared<BufferPool>(buffers)),
      threads_(tree),
      resting_tree_(tree, threads_),
      shared_(new_space_),
      kept_(new_space_, keeping) {
  capture_machine(machine_);
}

std::vector<int> TreeCapture::parents_first() const {
  std::map<int, std::vector<int>> children;
  std::vector<int> order;
  for (const auto& [pid, process] : tree_.processes()) {
    if (pid != tree_.root() && tree_.processes().contains(process.parent)) {
      children[process.parent].push_back(pid);
    } else {
      order.push_back(pid);  // the root, and what was adopted by a process outside the tree
    }
  }
  std::stable_partition(order.begin(), order.end(),
                        [this](int pid) { return pid == tree_.root(); });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& next = children[order[i]];
    order.insert(order.end(), next.begin(), next.end());
  }
  return order;
}

MemorySpace& TreeCapture::space_of(const model::Process& process) {
  auto& space = spaces_[process.pid()];
  if (!space || space->start_time() != process.start_time()) {
    space = std::make_unique<MemorySpace>(new_space_(), process.start_time());
  }
  return *space;
}

// ---- before the pause -------------------------------------------------------------------------

void TreeCapture::place_watches() {
  for (const int pid : parents_first()) {
    model::Process process;
    process.set_pid(pid);
    process.set_start_time(tree_.processes().at(pid).start_time);
    MemorySpace& space = space_of(process);
    if (space.watched()) continue;
    if (auto remote = RemoteProcess::enter(tree_, gadgets_, pid))
      space.set_watch(WriteWatch::create(*remote));
  }
}

void TreeCapture::prepare() {
  next_ = std::make_unique<CapturedSnapshot>(pool_);
  prepared_.clear();
  flags_.begin_snapshot();
  for (const auto& [pid, space] : spaces_) {
    const auto directory = ProcDirectory::open(pid);
    if (!directory) continue;
    model::Process& process = prepared_[pid];
    process.set_pid(pid);
    process.set_start_time(directory->stat().start_time);
    capture_mappings(*directory, process);
    if (!flags_.apply(process) || !flags_.is_fresh(process)) {
      capture_mapping_flags(*directory, process);
      flags_.remember(process);
    }
    if (!space->watched() || space->start_time() != process.start_time()) continue;
    if (!space->captured() || last_dirty_bytes_ > kWorthCopyingEarly) {
      space->copy_early(process, next_->pages);
    }
  }
  pool_->prepare(last_dirty_bytes_ + kWorthCopyingEarly);
  look_ahead();
}

void TreeCapture::look_ahead() {
  files_read_ = Files::InPause;
  if (resting_.empty()) return;
  auto pids = parents_first();
  std::erase_if(pids, [this](int pid) {
    const auto space = spaces_.find(pid);
    const bool shares = space != spaces_.end() &&
                        shared_spaces_.contains(static_cast<std::uint64_t>(space->second->id()));
    return shares || !(resting_.contains(pid) || tree_.processes().at(pid).zombie);
  });
  resting_tree_.look_ahead(pids, spaces_, prepared_, next_->model);
  if (!resting_tree_.has_looked() || SharedMemory::is_used(next_->model)) return;
  files_.collect(next_->model);
  files_read_ = Files::Ahead;
}

// ---- the pause --------------------------------------------------------------------------------

std::unique_ptr<CapturedSnapshot> TreeCapture::take(const model::Cause& cause) {
  auto captured = next_ ? std::move(next_) : std::make_unique<CapturedSnapshot>(pool_);
  model::Snapshot& model = captured->model;
  const auto begin = monotonic_ns();
  capture_state(*captured);
  model.set_format_version(1);
  *model.mutable_cause() = cause;
  *model.mutable_machine() = machine_;
  model.mutable_clocks()->set_realtime_ns(realtime_ns());
  model.mutable_clocks()->set_monotonic_ns(monotonic_ns());
  model.mutable_clocks()->set_boottime_ns(clock_ns(CLOCK_BOOTTIME));

  const auto middle = monotonic_ns();
  capture_memory(*captured);
  collect_files(model);
  captured->files = files_.pending();
  for (auto& delta : kept_.capture(model, captured->pages)) {
    captured->spaces.push_back({delta.space, std::move(delta.runs)});
  }
  captured->kept_files = kept_.take_pending();
  const auto end = monotonic_ns();

  auto* timing = model.mutable_timing();
  timing->set_state_us(static_cast<std::uint64_t>(middle - begin) / 1000);
  timing->set_copy_us(static_cast<std::uint64_t>(end - middle) / 1000);
  timing->set_dirty_bytes(captured->pages.bytes_used());
  last_dirty_bytes_ = captured->pages.bytes_used();
  danger_ = SeccompGate::Danger::Avoided;
  std::erase_if(spaces_, [&](const auto& entry) {
    const auto* process = find_process(model, entry.first);
    return process == nullptr || process->start_time() != entry.second->start_time();
  });
  return captured;
}

void TreeCapture::capture_state(CapturedSnapshot& captured) {
  model::Snapshot& model = captured.model;
  const auto rest = resting_tree_.find_rest(spaces_, model);
  unasked_.clear();
  resting_.clear();
  for (const auto& process : model.processes()) {
    if (process.state() != model::Process::ZOMBIE) resting_.insert(process.pid());
  }
  read_ahead_ = resting_.size();
  const bool some = rest == RestingTree::Rest::Some && capture_others(captured);
  if (rest != RestingTree::Rest::All && !some) capture_all(captured);
  model.set_root_pid(tree_.root());  // what follows asks for it
  capture_life_origin(model);
  capture_ipc_objects(model);
}

void TreeCapture::capture_all(CapturedSnapshot& captured) {
  captured.model.Clear();
  resting_.clear();
  read_ahead_ = 0;
  for (const int pid : parents_first()) capture_process(pid, captured);
  ask_processes(captured.model);
  DescriptorCapture(captured.model).capture();
  files_read_ = Files::InPause;
}

/// The model has the processes in resting_. False when too little of what was read ahead is of use.
bool TreeCapture::capture_others(CapturedSnapshot& captured) {
  model::Snapshot& model = captured.model;
  if (files_read_ != Files::Ahead || !files_.refresh(model)) return false;
  files_read_ = Files::PartlyAhead;
  first_in_pause_ = model.processes_size();
  const std::set<int> read_ahead = resting_;
  for (const int pid : parents_first()) {
    if (!read_ahead.contains(pid)) capture_process(pid, captured);
  }
  ask_processes(model);
  resting_tree_.capture_descriptors(model);
  return true;
}

void TreeCapture::capture_process(int pid, CapturedSnapshot& captured) {
  model::Snapshot& snapshot = captured.model;
  const auto directory = ProcDirectory::open(pid);
  if (!directory) return;  // killed meanwhile
  auto& process = *snapshot.add_processes();
  capture_open_state(*directory, process);
  if (process.state() == model::Process::ZOMBIE) return;
  const auto* parent = find_process(snapshot, process.parent_pid());
  const bool shares =
      parent != nullptr && parent->space() != 0 && same_memory(pid, process.parent_pid());
  MemorySpace* space = shares ? nullptr : &space_of(process);
  process.set_space(shares ? parent->space() : static_cast<std::uint64_t>(space->id()));
  if (space != nullptr) space->look_anew(pid);

  const auto ran = threads_.capture(*directory, space, process, snapshot);
  capture_seccomp_filters(process);
  if (ran == MemorySpace::Ran::No && has_rested(process, space)) {
    capture_resting(*directory, process);
  } else {
    capture_running(*directory, space, process);
  }
}

bool TreeCapture::has_rested(const model::Process& process, const MemorySpace* space) const {
  return ThreadCapture::has_rested(threads_.before(process), process, *space) &&
         !shared_spaces_.contains(process.space());
}

void TreeCapture::capture_resting(const ProcDirectory& directory, model::Process& process) {
  resting_.insert(process.pid());
  keep_own_state(threads_.before(process).process, process);
  capture_pending(process);
  capture_mappings(directory, process);
  flags_.apply(process);
}

void TreeCapture::capture_running(const ProcDirectory& directory, MemorySpace* space,
                                  model::Process& process) {
  capture_own_state(directory, namespaces_, process);
  capture_mappings(directory, process);
  flags_.apply(process);
  capture_pending(process);
  unasked_.push_back({&process, space});
}

/// The tracer moves to the CPU of each: those of one CPU after each other.
void TreeCapture::ask_processes(model::Snapshot& snapshot) {
  std::ranges::stable_sort(unasked_, {}, [](const Unasked& each) {
    return each.process->threads_size() > 0 ? each.process->threads(0).cpu() : 0;
  });
  for (const auto& [process, space] : std::exchange(unasked_, {})) {
    ask_process(*process, space, snapshot);
  }
}

void TreeCapture::capture_pending(model::Process& process) {
  if (process.pending_mask() == 0) return;
  if (const auto* driver = tree_.driver(process.pid())) capture_shared_pending(*driver, process);
}

void TreeCapture::not_asked(const model::Process& process, model::Snapshot& snapshot) {
  const bool below_seccomp = std::ranges::any_of(
      process.threads(),
      [&](const model::Thread& thread) { return seccomp_mode(process, thread) != 0; });
  add_limitation(snapshot, process.pid(), 0, "signal actions and alternate stacks",
                 below_seccomp
                     ? "seccomp would end the process for the system calls that ask for them, if "
                       "icecore died meanwhile; `icecore snap --kill` may ask"
                     : "no thread could run the system calls that ask for them",
                 model::Limitation::VIEW_ONLY);
}

void TreeCapture::ask_process(model::Process& process, MemorySpace* space,
                              model::Snapshot& snapshot) {
  auto remote = RemoteProcess::enter(tree_, gadgets_, process.pid(), danger_);
  if (!remote) {
    not_asked(process, snapshot);
    return;
  }
  const auto signals = task_signals(process.pid(), remote->driver());
  capture_remote_state(*remote, signals ? signals->caught : 0, signals ? signals->ignored : 0,
                       process);
  if (!process.sigactions_known()) not_asked(process, snapshot);
  if (space != nullptr && (!space->watched() || space->watch_is_dead())) {
    space->set_watch(WriteWatch::create(*remote));
  }
  remote.reset();
  // What the calls left in the unused part of the stack is content as any other.
  if (space != nullptr) space->look_again(process.pid(), written_for_us(process));
  for (const auto& thread : process.threads()) threads_.ran_for_us(process.pid(), thread.tid());
}

void TreeCapture::capture_memory(CapturedSnapshot& captured) {
  model::Snapshot& snapshot = captured.model;
  // First the shared objects: they mark the mappings that are theirs.
  std::vector<SharedMemory::Delta> shared;
  if (files_read_ != Files::Ahead) shared = shared_.capture(snapshot, captured.pages);
  std::set<std::uint64_t> done;
  shared_spaces_.clear();
  for (auto& process : *snapshot.mutable_processes()) {
    if (process.space() == 0) continue;
    if (!done.insert(process.space()).second) {
      shared_spaces_.insert(process.space());
      continue;
    }
    MemorySpace::Parent parent;
    const auto found = spaces_.find(process.parent_pid());
    if (found != spaces_.end()) parent = {process.parent_pid(), found->second.get()};
    MemorySpace& space = space_of(process);
    const auto ran =
        resting_.contains(process.pid()) ? MemorySpace::Ran::No : MemorySpace::Ran::Maybe;
    auto result = space.capture(process, ran, parent, captured.pages);
    if (!result.failed.empty()) unread_[process.pid()] = std::move(result.failed);
    captured.spaces.push_back({space.id(), std::move(result.runs)});
  }
  for (auto& delta : shared) captured.spaces.push_back({delta.space, std::move(delta.runs)});
}

void TreeCapture::collect_files(model::Snapshot& snapshot) {
  switch (files_read_) {
    case Files::Ahead:
      return;
    case Files::InPause:
      files_.collect(snapshot);
      return;
    case Files::PartlyAhead:
      files_.collect_more(snapshot, first_in_pause_);
      break;
  }
  // Those that were read ahead came first so far.
  std::map<int, int> places;
  for (const int pid : parents_first()) places.emplace(pid, static_cast<int>(places.size()));
  const auto place_of = [&places](const model::Process* process) {
    const auto place = places.find(process->pid());
    return place == places.end() ? INT_MAX : place->second;  // killed meanwhile
  };
  auto& processes = *snapshot.mutable_processes();
  std::ranges::sort(processes.pointer_begin(), processes.pointer_end(), {}, place_of);
}

// ---- after the pause --------------------------------------------------------------------------

void TreeCapture::complete(CapturedSnapshot& captured) {
  for (auto& process : *captured.model.mutable_processes()) {
    const bool known =
        std::none_of(process.mappings().begin(), process.mappings().end(),
                     [](const model::Mapping& mapping) { return mapping.flags().empty(); });
    if (!known) {
      const auto directory = ProcDirectory::open(process.pid());
      if (directory && directory->stat().start_time == process.start_time()) {
        capture_mapping_flags(*directory, process);
        flags_.remember(process);
      }
    }
    for (auto& mapping : *process.mutable_mappings()) {
      if (mapping.content() != model::Mapping::NOT_HELD) continue;
      // Asked not to be dumped, and only now known to: its pages were copied but must not be kept.
      drop_pages(captured, process, mapping);
      // An area that is merely reserved lacks nothing.
      const auto directory = ProcDirectory::open(process.pid());
      if (directory && proc::has_vm_flag(mapping.flags(), "dd") &&
          !has_content(*directory, mapping)) {
        mapping.set_content(model::Mapping::HELD);
      }
    }
  }
  list_unread(captured.model);
  for (auto& [pid, space] : spaces_) space->tidy();
  find_watched_paths(captured.model);
  list_limitations(captured.model);
  threads_.remember(captured.model);
}

/// Nobody can read pages with a guard on them, and nothing is there.
void TreeCapture::list_unread(model::Snapshot& snapshot) {
  for (const auto& process : snapshot.processes()) {
    PageSet guards;
    for (const auto& mapping : process.mappings()) {
      for (int i = 0; i + 1 < mapping.guards_size(); i += 2) {
        append_run(guards, mapping.guards(i) / store::kPageSize,
                   (mapping.guards(i + 1) - mapping.guards(i)) / store::kPageSize);
      }
    }
    const auto count = page_count(subtract(unread_[process.pid()], guards));
    if (count == 0) continue;
    add_limitation(snapshot, process.pid(), 0, std::to_string(count) + " pages of memory",
                   "they could not be read", model::Limitation::INCOMPLETE);
  }
  unread_.clear();
}

void TreeCapture::drop_pages(CapturedSnapshot& captured, const model::Process& process,
                             const model::Mapping& mapping) {
  const std::uint64_t first = mapping.start() / store::kPageSize;
  const std::uint64_t end = mapping.end() / store::kPageSize;
  for (auto& change : captured.spaces) {
    if (static_cast<std::uint64_t>(change.space) == process.space()) {
      change.runs = without_pages(change.runs, first, end);
    }
  }
}

void TreeCapture::forget() {
  for (auto& [pid, space] : spaces_) space->forget();
  shared_.forget();
  kept_.forget();
}

}  // namespace icecore::snapshot
