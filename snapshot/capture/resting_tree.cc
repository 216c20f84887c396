// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/resting_tree.h"

#include <algorithm>
#include <set>
#include <utility>

#include "snapshot/capture/life_origin.h"
#include "snapshot/capture/process_state.h"
#include "snapshot/capture/registers.h"
#include "snapshot/capture/thread_state.h"
#include "snapshot/tracing/sleep_clock.h"

namespace icecore::snapshot {

void RestingTree::look_ahead(const std::vector<int>& pids, const Spaces& spaces, Mappings& mappings,
                             model::Snapshot& snapshot) {
  descriptors_.reset();
  count_runs(pids);
  for (const int pid : pids) {
    const int before = snapshot.processes_size();
    if (look_at(pid, spaces, mappings, snapshot)) continue;
    while (snapshot.processes_size() > before) snapshot.mutable_processes()->RemoveLast();
  }
  if (snapshot.processes_size() == 0) return;
  descriptors_.emplace(snapshot);
  descriptors_->capture_tables();
}

/// Before all else is read. A thread that is on a CPU now has this count already, and one more time
/// on it shows; that it rests is for the rest to find.
void RestingTree::count_runs(const std::vector<int>& pids) {
  seen_.clear();
  std::set<int> living;
  for (const int pid : pids) {
    const auto* known = threads_.find_known(pid, tree_.processes().at(pid).start_time);
    if (known == nullptr) continue;
    for (const auto& [tid, switches] : known->switches) {
      const auto runs = counts_.count(pid, tid);
      if (!runs) continue;
      // One more than in the last snapshot: it has slept once since.
      seen_[tid] = {*runs, switches + 1};
      living.insert(tid);
    }
  }
  counts_.keep_only(living);
}

bool RestingTree::look_at(int pid, const Spaces& spaces, Mappings& mappings,
                          model::Snapshot& snapshot) {
  const auto directory = ProcDirectory::open(pid);
  if (!directory || directory->stat().start_time != tree_.processes().at(pid).start_time) {
    return false;
  }
  model::Process& process = *snapshot.add_processes();
  capture_open_state(*directory, process);
  if (process.state() == model::Process::ZOMBIE) return true;
  const auto* known = threads_.find_known(pid, process.start_time());
  const auto space = spaces.find(pid);
  const auto prepared = mappings.find(pid);
  if (known == nullptr || space == spaces.end() || prepared == mappings.end()) return false;
  if (!ThreadCapture::has_rested(*known, process, *space->second) || process.pending_mask() != 0)
    return false;
  if (prepared->second.start_time() != process.start_time()) return false;
  if (!look_at_threads(*directory, *known, process)) return false;
  process.set_space(static_cast<std::uint64_t>(space->second->id()));
  keep_own_state(known->process, process);
  process.mutable_mappings()->Swap(prepared->second.mutable_mappings());
  space->second->expect_rest(process);
  return true;
}

bool RestingTree::look_at_threads(const ProcDirectory& directory, const ThreadCapture::Known& known,
                                  model::Process& process) {
  const auto tids = directory.thread_ids();
  if (tids.size() != known.threads.size()) return false;
  for (const int tid : tids) {
    const auto index = known.threads.find(tid);
    const auto seen = seen_.find(tid);
    if (index == known.threads.end() || seen == seen_.end()) return false;
    const auto status = read_thread_status(directory, tid);
    if (!status || status->voluntary_switches != seen->second.switches) return false;
    model::Thread& thread = *process.add_threads();
    thread = known.process.threads(index->second);
    refresh_thread(*status, process, thread);
    if (thread.pending_mask() != 0) return false;
    thread.clear_pending_signals();
  }
  return true;
}

RestingTree::Rest RestingTree::find_rest(const Spaces& spaces, model::Snapshot& snapshot) {
  if (!descriptors_) return Rest::None;
  auto& processes = *snapshot.mutable_processes();
  const int looked_at = processes.size();
  rested_.clear();
  int kept = 0;
  for (int i = 0; i < looked_at; ++i) {
    if (is_as_seen(processes[i], spaces)) processes.SwapElements(kept++, i);
  }
  if (kept == looked_at && static_cast<std::size_t>(kept) == tree_.processes().size()) {
    descriptors_->capture_objects();
    descriptors_.reset();
    return Rest::All;
  }
  const int seen = std::exchange(kept, 0);
  for (int i = 0; i < seen; ++i) {
    if (refresh(processes[i])) processes.SwapElements(kept++, i);
  }
  while (processes.size() > kept) processes.RemoveLast();
  if (kept == 0) {
    descriptors_.reset();
    snapshot.Clear();
    return Rest::None;
  }
  for (const auto& process : processes) rested_.insert(process.pid());
  return Rest::Some;
}

/// What others may have changed. Also false of zombies, which are nothing but that.
bool RestingTree::refresh(model::Process& process) {
  if (process.state() == model::Process::ZOMBIE) return false;
  const auto directory = ProcDirectory::open(process.pid());
  if (!directory || !refresh_open_state(*directory, process)) return false;
  return std::ranges::all_of(*process.mutable_threads(), [&](model::Thread& thread) {
    const auto status = read_thread_status(*directory, thread.tid());
    if (status) refresh_thread(*status, process, thread);
    return status.has_value();
  });
}

void RestingTree::capture_descriptors(model::Snapshot& snapshot) {
  if (!descriptors_->capture_other_tables(rested_)) {
    for (auto& process : *snapshot.mutable_processes()) process.clear_descriptors();
    snapshot.clear_open_files();
    descriptors_.emplace(snapshot);
    descriptors_->capture_tables();
  }
  descriptors_->capture_objects();
  descriptors_.reset();
}

bool RestingTree::is_as_seen(model::Process& process, const Spaces& spaces) {
  const auto traced = tree_.processes().find(process.pid());
  if (traced == tree_.processes().end()) return false;
  const bool zombie = process.state() == model::Process::ZOMBIE;
  if (traced->second.start_time != process.start_time() || traced->second.zombie != zombie) {
    return false;
  }
  if (zombie) return true;
  if (traced->second.tids.size() != static_cast<std::size_t>(process.threads_size())) return false;
  const auto* known = threads_.find_known(process.pid(), process.start_time());
  MemorySpace& space = *spaces.at(process.pid());
  space.look_for_writes(process.pid());
  const bool rests = std::ranges::all_of(*process.mutable_threads(), [&](model::Thread& thread) {
    return is_as_seen(*known, space, process, thread);
  });
  return rests &&
         !ptrace_call::has_pending(*traced->second.tids.begin(), ptrace_call::Queue::Shared);
}

/// Once more on a CPU, or else, when it was preempted on its way to the stop, no more sleep than
/// that stop.
bool RestingTree::has_only_stopped(int pid, int tid, const Seen& seen) {
  return counts_.count(pid, tid) == seen.runs + 1 ||
         SleepClock::voluntary_switches(pid, tid) == seen.switches + 1;
}

bool RestingTree::is_as_seen(const ThreadCapture::Known& known, const MemorySpace& space,
                             const model::Process& process, model::Thread& thread) {
  const int tid = thread.tid();
  const auto traced = tree_.threads().find(tid);
  if (traced == tree_.threads().end()) return false;
  const Seen& seen = seen_.at(tid);
  if (ThreadCapture::resting_place(&known, &traced->second, &space) == nullptr ||
      !has_only_stopped(process.pid(), tid, seen) ||
      !ptrace_call::has_xstate(tid, thread.xstate()) ||
      ptrace_call::has_pending(tid, ptrace_call::Queue::Private)) {
    return false;
  }
  refresh_slept_time(traced->second, thread);
  threads_.set_switches(process.pid(), tid, seen.switches + 1);
  return true;
}

}  // namespace icecore::snapshot
