// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/open_store.h"
#include "replay/image/bank_record.h"
#include "replay/image/image_catalog.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME", Argument::Count::One, Completes::Recording},
    Argument{"MORE", Argument::Count::Many, Completes::Recording},
};

int run(const Invocation& invocation) {
  auto store = open_store(invocation, store::Store::Access::ReadWrite);
  const replay::ImageCatalog catalog(store.directory());
  for (const auto& name : invocation.arguments()) {
    (void)catalog.find(name);
    if (const auto bank = replay::read_bank_record(catalog.file(name, "bank"))) {
      throw Error("image " + name + " is kept warm, its memory by process " +
                  std::to_string(bank->pid))
          .set_hint("end `icecore image warm " + name + "` first");
    }
  }
  const auto recordings = store.recordings();
  for (const auto& name : invocation.arguments()) {
    const bool recorded =
        std::ranges::find(recordings, name, &store::RecordingSummary::name) != recordings.end();
    if (recorded) store.remove_recording(name);
    catalog.remove(name);
    std::cout << name << "\n";
  }
  invocation.note("`icecore gc` gives the space back");
  return 0;
}

}  // namespace

Command image_rm_command() {
  return {.name = "image rm",
          .group = Group::Image,
          .summary = "forget images, with their snapshots",
          .usage = "image rm NAME...",
          .description = "Copies that run are not harmed.",
          .arguments = kArguments,
          .run = run};
}

}  // namespace icecore::cli
