// SPDX-License-Identifier: Apache-2.0
#include "cli/view_server.h"

#include <sys/eventfd.h>
#include <unistd.h>

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

ViewServerThread::ViewServerThread(const ViewedSnapshot& viewed, const gdbstub::Listener& listener)
    : stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_.valid()) throw_errno("eventfd");
  thread_ = std::thread([this, &viewed, &listener] {
    gdbstub::ServeOptions options;
    options.lifetime = gdbstub::ServeOptions::Lifetime::UntilAsked;
    options.stop_descriptor = stop_.get();
    try {
      gdbstub::serve(listener, viewed.targets(), options);
    } catch (const std::exception& error) {
      failure_ = error.what();
    }
  });
}

std::string ViewServerThread::stop() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) != sizeof one) return "eventfd: cannot be written";
    thread_.join();
  }
  return failure_;
}

ViewServerThread::~ViewServerThread() { stop(); }

}  // namespace icecore::cli
