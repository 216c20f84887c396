// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/open_store.h"
#include "cli/quantities.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::One, Completes::Snapshot},
    Argument{"MORE", Argument::Count::Many, Completes::Snapshot},
};
constexpr std::array kOptions = {
    Option{"recording", 'r', "", "remove whole recordings; the words are their names",
           Completes::Nothing},
    Option{"dry-run", 'n', "", "only say what would be removed"},
};

void check_recording(const store::Store& store, const std::string& name) {
  (void)store.snapshots(name);  // throws, naming those that are near
}

int remove_recordings(const Invocation& invocation, store::Store& store) {
  for (const auto& name : invocation.arguments()) check_recording(store, name);
  for (const auto& name : invocation.arguments()) {
    if (!invocation.has("dry-run")) store.remove_recording(name);
    std::cout << name << "\n";
  }
  return 0;
}

int remove_snapshots(const Invocation& invocation, store::Store& store) {
  std::vector<store::SnapshotKey> keys;
  for (const auto& name : invocation.arguments()) {
    // A bare recording name means its last snapshot everywhere else; here that is too easily meant
    // as the whole recording.
    if (name.find('@') == std::string::npos && name.find("..") == std::string::npos) {
      throw UsageError("rm " + name + ": say which of its snapshots")
          .set_hint("icecore rm " + name + "@last, or icecore rm --recording " + name +
                    " for all of them");
    }
    for (auto& key : store.resolve_range(name)) keys.push_back(std::move(key));
  }
  if (!invocation.has("dry-run")) store.remove(keys);
  for (const auto& key : keys) std::cout << key.text() << "\n";
  return 0;
}

int run(const Invocation& invocation) {
  auto store = open_store(invocation, store::Store::Access::ReadWrite);
  const int status = invocation.has("recording") ? remove_recordings(invocation, store)
                                                 : remove_snapshots(invocation, store);
  invocation.note(invocation.has("dry-run") ? "nothing was removed: --dry-run"
                                            : "`icecore gc` gives the space back");
  return status;
}

}  // namespace

Command rm_command() {
  return {
      .name = "rm",
      .group = Group::Keep,
      .summary = "forget snapshots or whole recordings",
      .usage = "rm [--dry-run] SNAPSHOT...\nrm [--dry-run] --recording NAME...",
      .description =
          "SNAPSHOT may be a range A..B, both ends included. What was removed is printed. Other "
          "snapshots are never harmed, and a number is never used again. The space comes back "
          "with `icecore gc`.",
      .arguments = kArguments,
      .options = kOptions,
      .examples = "icecore rm redis-server@1..redis-server@100",
      .run = run};
}

}  // namespace icecore::cli
