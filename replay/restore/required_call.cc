// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/required_call.h"

#include <span>

#include "base/error.h"

namespace icecore::replay {

std::uint64_t required_call(Puppet& puppet, const std::string& what, std::int64_t number,
                            const std::array<std::uint64_t, 6>& arguments) {
  const std::int64_t result = puppet.call(number, arguments);
  if (result < 0) throw_errno(what, static_cast<int>(-result));
  return static_cast<std::uint64_t>(result);
}

std::uint64_t text_argument(const Puppet& puppet, const std::string& text, std::uint64_t offset) {
  const std::uint64_t address = puppet.scratch() + offset;
  puppet.write(address, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
  return address;
}

}  // namespace icecore::replay
