// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "snapshot/model/snapshot.pb.h"

namespace icecore::symbols {

/// An XSAVE image of `machine` (standard format, each component where CPUID leaf 0xD says) with
/// its components where Intel's processors have them: the one layout that gdb before 14 knows, and
/// that all others recognise by its size. Components that no Intel layout has are left out, of the
/// masks too. An image that is too short to have any is returned as it is.
std::string in_intel_layout(const std::string& xstate, const model::Machine& machine);

}  // namespace icecore::symbols
