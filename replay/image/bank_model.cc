// SPDX-License-Identifier: Apache-2.0
#include "replay/image/bank_model.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "replay/restore/mapping_plan.h"
#include "snapshot/proc/smaps.h"

namespace icecore::replay {
namespace {

bool stays_in_fork(const model::Mapping& mapping) {
  if (is_kernel_owned(mapping)) return true;
  constexpr std::array<std::string_view, 4> kChanging = {"lo", "sl", "wf", "dc"};
  const bool changes = std::ranges::any_of(kChanging, [&](std::string_view flag) {
    return snapshot::proc::has_vm_flag(mapping.flags(), flag);
  });
  return !changes && !mapping.shared() && mapping.shared_space() == 0 && mapping.guards_size() == 0;
}

}  // namespace

model::Snapshot bank_model(const model::Snapshot& snapshot) {
  model::Snapshot bank;
  *bank.mutable_machine() = snapshot.machine();
  *bank.mutable_mapped_files() = snapshot.mapped_files();
  bank.set_root_pid(snapshot.root_pid());
  for (const auto& process : snapshot.processes()) {
    if (process.pid() != snapshot.root_pid()) continue;
    model::Process& root = *bank.add_processes();
    root = process;
    root.clear_mappings();
    for (const auto& mapping : process.mappings()) {
      if (stays_in_fork(mapping)) *root.add_mappings() = mapping;
    }
  }
  return bank;
}

}  // namespace icecore::replay
