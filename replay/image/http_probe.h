// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace icecore::replay {

/// Whether a GET of `path` from 127.0.0.1 (else ::1) answers with a status of 200 to 399 within a
/// second. The connection is closed by both sides when this returns true.
[[nodiscard]] bool answers_http(int port, const std::string& path);

}  // namespace icecore::replay
