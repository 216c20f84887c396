// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace icecore::snapshot {

/// The bytes of a struct sockaddr as people write it: "127.0.0.1:6379", "[::1]:80", "/run/x.sock",
/// "@abstract". Empty for an unnamed or unknown one.
std::string socket_address_text(std::string_view address);

}  // namespace icecore::snapshot
