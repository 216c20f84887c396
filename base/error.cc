// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace icecore {

void throw_errno(const std::string& what, int errno_value) {
  throw Error(what + ": " + std::generic_category().message(errno_value), errno_value);
}

void throw_errno(const std::string& what) { throw_errno(what, errno); }

}  // namespace icecore
