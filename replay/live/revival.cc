// SPDX-License-Identifier: Apache-2.0
#include "replay/live/revival.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "replay/live/own_network.h"
#include "replay/restore/refusal.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

RestoreOptions options_for(const RevivalOptions& options) {
  RestoreOptions restore;
  restore.handover = RestoreOptions::Handover::Traced;
  restore.files.tcp = FileOptions::Tcp::Close;
  restore.files.changed = options.files == RevivalOptions::Files::Own
                              ? FileOptions::Changed::Sandbox
                              : FileOptions::Changed::Keep;
  return restore;
}

[[noreturn]] void refuse(const snapshot::StoredSnapshot& snapshot, const Refusals& refusals) {
  std::string why;
  for (const Refusal& refusal : refusals) {
    why += (why.empty() ? "" : "\n       ") + std::string("process ") +
           std::to_string(refusal.pid) + ": " + refusal.object + ": " + refusal.reason;
    if (!refusal.hint.empty()) why += " (" + refusal.hint + ")";
  }
  Refused error(snapshot.key().text() + " cannot be restored");
  error.set_why(why);
  error.set_hint("icecore gdb " + snapshot.key().text() + "  # looks at it, without --live");
  throw error;
}

/// Brings a thread of the maker's into a stop of our kind, before its next instruction: only there
/// the kernel starts an interrupted call again.
void settle(int tid) {
  if (!ptrace_call::interrupt(tid) || !ptrace_call::resume(tid, 0)) return;
  while (::waitpid(tid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

std::int32_t first_process(const model::Snapshot& model, std::int32_t wanted) {
  if (wanted != 0) return wanted;
  for (const auto& process : model.processes()) {
    const bool crashed = model.cause().kind() == model::Cause::CRASH &&
                         std::ranges::any_of(process.threads(), [&](const auto& thread) {
                           return thread.tid() == model.cause().tid();
                         });
    if (crashed) return process.pid();
  }
  return model.root_pid();
}

}  // namespace

Revival::Revival(LiveTree& tree, const snapshot::StoredSnapshot& snapshot,
                 const RevivalOptions& options)
    : tree_(tree) {
  const RestoreOptions wanted = options_for(options);
  std::optional<OwnNetwork> network;
  if (options.network == RevivalOptions::Network::Own) network.emplace();
  const Refusals refusals = check_restore(snapshot, wanted);
  if (!refusals.empty()) refuse(snapshot, refusals);
  restored_ = with_context(snapshot.key().text(), [&] { return restore(snapshot, wanted); });
  take_over(first_process(snapshot.model(), options.first));
}

void Revival::take_over(std::int32_t wanted) {
  for (const TracedLife& life : restored_.traced) {
    for (const int tid : life.tids) settle(tid);
    tree_.adopt(life.pid, life.tids, LiveProcess::Ownership::Ours);
    if (life.recorded_pid == wanted) tree_.show_first(life.pid);
  }
}

/// The end of its init is the end of its PID namespace, once we have let its tracees go.
Revival::~Revival() {
  try {
    std::vector<std::int32_t> pids;
    for (const auto& [pid, process] : tree_.processes()) pids.push_back(pid);
    ::kill(restored_.init_pid, SIGKILL);
    for (const std::int32_t pid : pids) {
      if (tree_.processes().contains(pid)) tree_.kill(pid);
    }
    ::waitpid(restored_.init_pid, nullptr, __WALL);
  } catch (const Error& error) {
    log(Topic::Tracing, std::string("ending a revival: ") + error.what());
  }
}

}  // namespace icecore::replay
