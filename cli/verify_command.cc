// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/progress.h"
#include "cli/quantities.h"

namespace icecore::cli {
namespace {

constexpr std::array kOptions = {
    Option{"json", 0, "", "print the report as JSON"},
    Option{"rebuild-index", 0, "", "make index.db anew from the packs first, when it is damaged"},
};

std::string sentence(const store::Damage& damage) {
  std::string text = damage.file + " at " + std::to_string(damage.offset) + ": " + damage.what;
  for (std::size_t i = 0; i < damage.snapshots.size(); ++i) {
    text += (i == 0 ? "; needed by " : ", ") + damage.snapshots[i].text();
  }
  return text;
}

void rebuild_index(const Invocation& invocation) {
  const auto report = store::Store::rebuild_index(invocation.store_directory());
  invocation.note("found " + count_text(report.snapshots, "snapshot") + " of " +
                  count_text(report.recordings, "recording") + " in the packs");
  for (const auto& damage : report.damages) invocation.note("lost: " + sentence(damage));
}

store::VerifyReport verify(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  Progress progress(invocation, "verify");
  return store.verify([&](std::uint64_t done, std::uint64_t total) { progress.show(done, total); });
}

void print_json(const store::VerifyReport& report) {
  Json damages = Json::array();
  for (const auto& damage : report.damages) damages.push_back(to_json(damage));
  std::cout << json_text({{"version", kJsonVersion},
                          {"sound", report.damages.empty()},
                          {"snapshots", report.snapshots},
                          {"pages", report.pages},
                          {"bytes", report.bytes},
                          {"damages", damages}});
}

int run(const Invocation& invocation) {
  if (invocation.has("rebuild-index")) rebuild_index(invocation);
  const auto report = verify(invocation);
  if (invocation.has("json")) {
    print_json(report);
    return report.damages.empty() ? 0 : 1;
  }
  std::cout << count_text(report.snapshots, "snapshot") << ", " << count_text(report.pages, "page")
            << ", " << bytes_text(report.bytes) << " read: "
            << (report.damages.empty() ? "all sound"
                                       : count_text(report.damages.size(), "damage") + " found")
            << "\n";
  for (const auto& damage : report.damages) std::cout << sentence(damage) << "\n";
  return report.damages.empty() ? 0 : 1;
}

}  // namespace

Command verify_command() {
  return {.name = "verify",
          .group = Group::Keep,
          .summary = "read every stored byte and check it by its hash",
          .usage = "verify [--json] [--rebuild-index]",
          .description =
              "Exit status 0 when all is sound, 1 when something is damaged; each damage is named "
              "with the snapshots that need it.",
          .options = kOptions,
          .run = run};
}

}  // namespace icecore::cli
