// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/support_check.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "replay/restore/address_map.h"
#include "replay/restore/mapping_plan.h"
#include "snapshot/capture/limitations.h"
#include "snapshot/capture/machine.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/capture/root_process.h"
#include "snapshot/capture/seccomp_filters.h"
#include "snapshot/proc/smaps.h"

namespace icecore::replay {
namespace {

std::string name_outside(const model::Process& process) {
  return "process " + std::to_string(process.pid());
}

class Check {
 public:
  explicit Check(const model::Snapshot& snapshot) : snapshot_(snapshot) {
    for (const auto& range : mapped_now(::getpid())) {
      if (is_vdso_part(range.name)) own_vdso_ += range.end - range.start;
    }
  }
  Refusals run() {
    check_limitations();
    check_machine();
    for (const auto& process : snapshot_.processes()) {
      if (process.state() == model::Process::ZOMBIE) continue;
      check_process(process);
      check_threads(process);
      check_memory(process);
    }
    check_shared_memory();
    return std::move(refusals_);
  }

 private:
  void refuse(int pid, std::string object, std::string reason, std::string hint = "") {
    refusals_.push_back({pid, std::move(object), std::move(reason), std::move(hint)});
  }
  void check_limitations();
  void check_machine();
  void check_process(const model::Process& process);
  void check_threads(const model::Process& process);
  void check_memory(const model::Process& process);
  void check_shared_memory();

  const model::Snapshot& snapshot_;
  Refusals refusals_;
  std::uint64_t own_vdso_ = 0;           ///< bytes of the vdso and its data on this kernel
  std::map<std::uint64_t, int> spaces_;  ///< address spaces and who has them
};

void Check::check_limitations() {
  for (const auto& limitation : snapshot_.limitations()) {
    if (!snapshot::keeps_from_restore(limitation)) continue;
    // Of open files check_descriptions() knows more: what was asked for, what else is there now.
    if (limitation.object().starts_with("fd ")) continue;
    refuse(limitation.pid(), limitation.object(), limitation.reason());
  }
}

/// Registers are set as they were read: the image must have the layout of this CPU, and no
/// component in use that it lacks.
void Check::check_machine() {
  const auto& there = snapshot_.machine();
  // The same life of the same machine has the same CPU. To ask for it takes a third of a
  // millisecond on a virtual one, where each CPUID is the hypervisor's.
  if (!there.boot_id().empty() && there.boot_id() == snapshot::boot_id()) return;
  model::Machine here;
  snapshot::capture_machine(here);
  const auto layout = [](const model::Machine& machine) {
    std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> components;
    for (const auto& component : machine.xsave_components()) {
      components[component.number()] = {component.offset(), component.size()};
    }
    return components;
  };
  if (here.xcr0() != there.xcr0() || layout(here) != layout(there)) {
    refuse(0, "registers",
           "the snapshot was taken on another kind of CPU (" + there.cpu_model() +
               "), whose extended registers differ from those of this one",
           "restore it on a machine of that kind");
    return;
  }
  // What the program has found at its start it may use at any time.
  const std::set<std::string> flags(here.cpu_flags().begin(), here.cpu_flags().end());
  std::string missing;
  for (const auto& flag : there.cpu_flags()) {
    const bool is_instructions = flag.starts_with("avx") || flag.starts_with("sse") ||
                                 flag.starts_with("bmi") || flag == "fma" || flag == "aes" ||
                                 flag == "popcnt" || flag == "vaes" || flag == "sha_ni";
    if (is_instructions && !flags.contains(flag)) missing += " " + flag;
  }
  if (!missing.empty()) refuse(0, "instructions", "this CPU does not have" + missing);
}

void Check::check_process(const model::Process& process) {
  const auto levels = [](const model::Process& p) { return p.namespace_pids_size(); };
  const auto* root = snapshot::root_process(snapshot_);
  if (root != nullptr && levels(process) != levels(*root)) {
    refuse(process.pid(), name_outside(process),
           "PID namespaces inside the tree cannot be made yet");
  }
  if (!process.sigactions_known()) {
    refuse(process.pid(), name_outside(process),
           "its signal actions and timers could not be asked for when the snapshot was taken");
  }
  const auto [other, added] = spaces_.emplace(process.space(), process.pid());
  if (!added) {
    refuse(process.pid(), name_outside(process),
           "it shares its memory with process " + std::to_string(other->second) +
               " (vfork or CLONE_VM)",
           "a program that starts another one does so for a moment only: take it again");
  }
}

void Check::check_threads(const model::Process& process) {
  for (const auto& thread : process.threads()) {
    if (snapshot::seccomp_mode(process, thread) != 0 && ::geteuid() != 0) {
      refuse(process.pid(), "thread " + std::to_string(thread.tid()),
             "only root can put it below seccomp again", "restore it as root");
    }
    if (thread.state() == "Z" || thread.state() == "X" || !thread.registers().empty()) continue;
    refuse(process.pid(), "thread " + std::to_string(thread.tid()),
           "its registers could not be read when the snapshot was taken");
  }
}

void Check::check_memory(const model::Process& process) {
  std::uint64_t vdso = 0;
  for (const auto& mapping : process.mappings()) {
    if (is_vdso_part(mapping.name())) vdso += mapping.end() - mapping.start();
    if (snapshot::proc::has_vm_flag(mapping.flags(), "ss")) {
      refuse(process.pid(), "mapping " + snapshot::mapping_range(mapping),
             "a shadow stack cannot be made again");
    }
  }
  if (vdso != 0 && vdso != own_vdso_) {
    refuse(process.pid(), name_outside(process),
           "the kernel that it ran on (" + snapshot_.machine().kernel_release() +
               ") gave it a vdso of another size than this one does");
  }
}

void Check::check_shared_memory() {
  for (const auto& object : snapshot_.shared_objects()) {
    if (object.kind() == model::SharedObject::UNKNOWN) {
      refuse(0, "shared memory " + object.name(), "icecore does not know this kind");
    }
  }
}

}  // namespace

Refusals check_support(const snapshot::StoredSnapshot& snapshot) {
  return Check(snapshot.model()).run();
}

}  // namespace icecore::replay
