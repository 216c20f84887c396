// SPDX-License-Identifier: Apache-2.0
#include "cli/view_server.h"

#include "cli/module_files.h"
#include "cli/open_store.h"
#include "snapshot/view_target.h"

namespace icecore::cli {

ViewedSnapshot::ViewedSnapshot(const Invocation& invocation, const std::string& name,
                               std::int32_t pid)
    : store_(open_store(invocation, store::Store::Access::ReadOnly)),
      key_(store_.resolve(name)),
      sequence_(store_, key_.recording),
      pid_(pid) {
  if (pid_ != 0 && sequence_.open(key_)->find_process(pid_) == nullptr) {
    throw Error("process " + std::to_string(pid_) + ": is not in " + key_.text())
        .set_hint("icecore show " + key_.text());
  }
}

std::filesystem::path ViewedSnapshot::write_module_files(const std::filesystem::path& root) const {
  const auto shown = sequence_.open(key_);
  const int first = snapshot::ViewTarget(sequence_, key_, pid_).current_stop().thread.pid;
  const auto* process = shown->find_process(first);
  return process == nullptr ? std::filesystem::path()
                            : cli::write_module_files(*shown, *process, root);
}

gdbstub::TargetFactory ViewedSnapshot::targets() const {
  return [this] { return std::make_unique<snapshot::ViewTarget>(sequence_, key_, pid_); };
}

}  // namespace icecore::cli
