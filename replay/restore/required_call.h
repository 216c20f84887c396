// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "replay/restore/puppet.h"

namespace icecore::replay {

/// One call of a puppet that must succeed: its result, or throws Error "WHAT: strerror".
std::uint64_t required_call(Puppet& puppet, const std::string& what, std::int64_t number,
                            const std::array<std::uint64_t, 6>& arguments = {});

/// The address of `text` in the puppet's scratch memory, `offset` bytes behind its start.
std::uint64_t text_argument(const Puppet& puppet, const std::string& text,
                            std::uint64_t offset = 0);

}  // namespace icecore::replay
