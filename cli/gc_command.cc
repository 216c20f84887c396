// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/quantities.h"

namespace icecore::cli {
namespace {

constexpr std::array kOptions = {
    Option{"json", 0, "", "print the report as JSON"},
};

int run(const Invocation& invocation) {
  auto store = open_store(invocation, store::Store::Access::ReadWrite);
  const store::GarbageReport report = store.collect_garbage();
  if (invocation.has("json")) {
    std::cout << json_text({{"version", kJsonVersion},
                            {"packs_removed", report.packs_removed},
                            {"packs_rewritten", report.packs_rewritten},
                            {"bytes_before", report.bytes_before},
                            {"bytes_after", report.bytes_after}});
    return 0;
  }
  const auto freed =
      report.bytes_before > report.bytes_after ? report.bytes_before - report.bytes_after : 0;
  std::cout << "freed " << bytes_text(freed) << " of " << bytes_text(report.bytes_before) << ": "
            << count_text(report.packs_removed, "pack") << " removed, "
            << count_text(report.packs_rewritten, "pack") << " rewritten\n";
  return 0;
}

}  // namespace

Command gc_command() {
  return {.name = "gc",
          .group = Group::Keep,
          .summary = "give back the space of removed snapshots",
          .usage = "gc [--json]",
          .description = "Safe beside readers and writers of the same store.",
          .options = kOptions,
          .run = run};
}

}  // namespace icecore::cli
