// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "cli/commands.h"
#include "cli/open_store.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"SNAPSHOT", Argument::Count::One, Completes::Snapshot},
    Argument{"TAG", Argument::Count::Optional},
};
constexpr std::array kOptions = {
    Option{"delete", 'd', "", "take the snapshot's tag away"},
};

int run(const Invocation& invocation) {
  const std::string tag = invocation.argument(1);
  if (invocation.has("delete") != tag.empty()) {
    throw UsageError("icecore tag: give either a TAG or --delete");
  }
  auto store = open_store(invocation, store::Store::Access::ReadWrite);
  const auto key = store.resolve(invocation.argument(0));
  store.set_tag(key, tag);
  invocation.note(tag.empty() ? key.text() + " has no tag now"
                              : key.text() + " is " + key.recording + "@" + tag + " now");
  return 0;
}

}  // namespace

Command tag_command() {
  return {.name = "tag",
          .group = Group::Keep,
          .summary = "give a snapshot a name of its own",
          .usage = "tag SNAPSHOT TAG\ntag --delete SNAPSHOT",
          .arguments = kArguments,
          .options = kOptions,
          .examples = "icecore tag redis-server@last before-upgrade",
          .run = run};
}

}  // namespace icecore::cli
