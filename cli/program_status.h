// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore::cli {

/// Ends as the program did whose wait status this is, so that a shell cannot tell the difference:
/// returns its exit status, or dies of its signal.
[[nodiscard]] int pass_on(int status);

}  // namespace icecore::cli
