// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore {

/// Makes one visitor of several lambdas, for std::visit without a default case.
template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace icecore
