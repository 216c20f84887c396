// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_moment.h"

#include <sys/user.h>

#include <cstring>
#include <string>

#include "base/error.h"

namespace icecore::snapshot {
namespace {

bool can_be_looked_at(const model::Process& process) {
  return process.state() != model::Process::ZOMBIE && process.threads_size() > 0;
}

}  // namespace

std::uint64_t program_counter(const model::Thread& thread) {
  std::uint64_t pc = 0;
  constexpr std::size_t kOffset = offsetof(user_regs_struct, rip);
  if (thread.registers().size() < kOffset + sizeof pc) return 0;
  std::memcpy(&pc, thread.registers().data() + kOffset, sizeof pc);
  return pc;
}

ViewMoment::ViewMoment(const SnapshotSequence& sequence, const store::SnapshotKey& key)
    : sequence_(sequence),
      snapshot_(sequence.open(key)),
      registers_(snapshot_->model().machine()) {}

const model::Process& ViewMoment::process(std::int32_t pid) const {
  const model::Process* found = snapshot_->find_process(pid);
  if (found != nullptr) return *found;
  throw Error("process " + std::to_string(pid) + " does not exist in " + snapshot_->key().text());
}

const model::Thread* ViewMoment::find_thread(gdbstub::ThreadId id) const {
  const model::Process* process = snapshot_->find_process(id.pid);
  if (process == nullptr) return nullptr;
  for (const model::Thread& thread : process->threads()) {
    if (thread.tid() == id.tid) return &thread;
  }
  return nullptr;
}

const model::Thread& ViewMoment::thread(gdbstub::ThreadId id) const {
  const model::Thread* found = find_thread(id);
  if (found != nullptr) return *found;
  throw Error("thread " + std::to_string(id.tid) + " of process " + std::to_string(id.pid) +
              " does not exist in " + snapshot_->key().text());
}

std::vector<gdbstub::ThreadDescription> ViewMoment::threads() const {
  std::vector<gdbstub::ThreadDescription> threads;
  const auto add = [&](const model::Process& process) {
    for (const model::Thread& thread : process.threads()) {
      threads.push_back({{process.pid(), thread.tid()}, thread.name(), thread.cpu()});
    }
  };
  const std::int32_t root = model().root_pid();
  for (const model::Process& process : model().processes()) {
    if (process.pid() == root && can_be_looked_at(process)) add(process);
  }
  for (const model::Process& process : model().processes()) {
    if (process.pid() != root && can_be_looked_at(process)) add(process);
  }
  return threads;
}

gdbstub::ThreadId ViewMoment::nearest_thread(gdbstub::ThreadId preferred) const {
  if (find_thread(preferred) != nullptr) return preferred;
  const auto all = threads();
  if (all.empty()) throw Error("snapshot " + snapshot_->key().text() + " holds no thread");
  for (const auto& thread : all) {
    if (thread.id.pid == preferred.pid) return thread.id;
  }
  return all.front().id;
}

void ViewMoment::move_to(const store::SnapshotKey& key) { snapshot_ = sequence_.open(key); }

}  // namespace icecore::snapshot
