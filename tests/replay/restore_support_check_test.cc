// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "replay/restore/support_check.h"
#include "snapshot/capture/machine.h"
#include "tests/replay/remade_tree.h"

namespace icecore::replay {
namespace {

/// What is refused because of the CPU when `change` has been made to where a snapshot comes from.
template <typename Change>
std::string refusals(Change change) {
  const test::RemadeTree tree("restore_events");
  model::Snapshot model = tree.model();
  model.clear_machine();
  snapshot::capture_machine(*model.mutable_machine());
  change(*model.mutable_machine());
  std::string text;
  for (const auto& refusal : check_support({tree.stored(), std::move(model)})) {
    const bool of_cpu = refusal.object == "registers" || refusal.object == "instructions";
    if (of_cpu) text += refusal.object + ": " + refusal.reason + "\n";
  }
  return text;
}

TEST(SupportCheck, TakesWhatThisMachineHasMade) {
  EXPECT_EQ(refusals([](model::Machine&) {}), "");
  EXPECT_EQ(refusals([](model::Machine& machine) { machine.set_boot_id("an earlier one"); }), "");
}

TEST(SupportCheck, RefusesTheRegistersOfAnotherKindOfCpu) {
  EXPECT_THAT(refusals([](model::Machine& machine) {
                machine.set_boot_id("elsewhere");
                machine.set_cpu_model("Another One");
                machine.set_xcr0(machine.xcr0() ^ 0x200);
              }),
              testing::HasSubstr("another kind of CPU (Another One)"));
}

TEST(SupportCheck, RefusesInstructionsThatThisCpuDoesNotHave) {
  EXPECT_EQ(refusals([](model::Machine& machine) {
              machine.set_boot_id("elsewhere");
              machine.add_cpu_flags("avx9000");
              machine.add_cpu_flags("an_irrelevant_flag");
            }),
            "instructions: this CPU does not have avx9000\n");
}

}  // namespace
}  // namespace icecore::replay
