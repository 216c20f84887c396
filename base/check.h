// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore {

/// Prints the broken invariant and aborts. Called by ICECORE_CHECK only.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace icecore

/// An invariant of ours: stays on in release builds, because a wrong snapshot is worse than none.
#define ICECORE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::icecore::check_failed(#condition, __FILE__, __LINE__))
