// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace icecore::replay {

/// Runs `body` on a thread that has a copy of our descriptor table to itself: it may put anything
/// at any number, and what it opens there is closed when it returns, but for what is returned by
/// way of other objects. What it throws is thrown here.
void with_own_table(const std::function<void()>& body);

}  // namespace icecore::replay
