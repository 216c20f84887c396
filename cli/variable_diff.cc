// SPDX-License-Identifier: Apache-2.0
#include "cli/variable_diff.h"

#include <set>

#include "cli/snapshot_image.h"

namespace icecore::cli {

std::vector<symbols::VariableChange> diff_variables(const snapshot::StoredSnapshot& before,
                                                    const model::Process& process_before,
                                                    const snapshot::StoredSnapshot& after,
                                                    const model::Process& process_after,
                                                    const std::vector<MemoryChange>& memory,
                                                    symbols::ModuleCache& modules) {
  const SnapshotImage image_before(before, process_before);
  const SnapshotImage image_after(after, process_after);
  const symbols::Symbolizer symbolizer(image_after, modules);
  std::vector<symbols::VariableChange> changes;
  std::set<std::uint64_t> seen;  // a variable that lies across two pages is found twice
  for (const MemoryChange& change : memory) {
    for (const std::uint64_t page : change.addresses) {
      if (symbols::find_module(symbolizer.modules(), page) == nullptr) break;  // heap, stacks
      for (const auto& variable :
           symbols::variables_in(symbolizer, page, page + store::kPageSize)) {
        if (!seen.insert(variable.address).second) continue;
        auto parts = symbols::compare_variable(variable, image_before, image_after);
        changes.insert(changes.end(), parts.begin(), parts.end());
      }
    }
  }
  return changes;
}

}  // namespace icecore::cli
