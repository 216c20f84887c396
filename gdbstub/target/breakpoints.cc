// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/target/breakpoints.h"

#include "base/error.h"

namespace icecore::gdbstub {

void Breakpoints::insert_conditional(const Breakpoint&, std::shared_ptr<const StopCondition>) {
  throw Error("this target does not evaluate conditions: set breakpoint condition-evaluation host");
}

}  // namespace icecore::gdbstub
