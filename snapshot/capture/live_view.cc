// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/live_view.h"

#include "snapshot/capture/descriptors.h"
#include "snapshot/capture/limitations.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/capture/namespaces.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/capture/process_state.h"
#include "snapshot/capture/process_tree.h"
#include "snapshot/capture/thread_state.h"

namespace icecore::snapshot {
namespace {

void view_threads(const ProcDirectory& directory, model::Process& process) {
  for (const int tid : directory.thread_ids()) {
    auto& thread = *process.add_threads();
    if (!capture_thread_state(directory, tid, Activity::Running, process, thread)) {
      process.mutable_threads()->RemoveLast();
    }
  }
}

void view_process(int pid, const OwnNamespaces& own, model::Snapshot& snapshot) {
  const auto directory = ProcDirectory::open(pid);
  if (!directory) return;                         // ended meanwhile
  if (directory->stat().kernel_thread()) return;  // nothing of it could ever be in a snapshot
  auto& process = *snapshot.add_processes();
  capture_process_state(*directory, own, process);
  if (process.state() == model::Process::ZOMBIE) return;
  capture_mappings(*directory, process);
  capture_mapping_flags(*directory, process);
  view_threads(*directory, process);
}

}  // namespace

model::Snapshot view_live_tree(int root, int recorder) {
  model::Snapshot snapshot;
  snapshot.set_root_pid(root);
  const OwnNamespaces own;
  for (const int pid : process_tree(root)) view_process(pid, own, snapshot);
  for (auto& process : *snapshot.mutable_processes()) {
    if (process.tracer_pid() == recorder) process.clear_tracer_pid();
  }
  DescriptorCapture(snapshot).capture();
  list_limitations(snapshot);
  return snapshot;
}

}  // namespace icecore::snapshot
