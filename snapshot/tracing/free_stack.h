// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "snapshot/tracing/code_gadgets.h"
#include "snapshot/tracing/traced_tree.h"

namespace icecore::snapshot {

/// CodeGadgets::kFreeStackSize bytes at the low end of the main stack that nothing can be using,
/// for the frame by which a thread finds back if we die; 0 when there are none. Nothing of the
/// program lies there: it is below the main thread's stack pointer, and far from it. Threads that
/// an earlier tracer left there by its death, and that have not found back yet, keep their own
/// part.
std::uint64_t find_free_stack(const TracedTree& tree, int pid, const StackMapping& stack,
                              const CodeGadgets& gadgets);

}  // namespace icecore::snapshot
