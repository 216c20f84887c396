// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "snapshot/model/process.pb.h"

namespace icecore::cli {

/// "epoll_wait"; "syscall 999" for a number that this icecore does not know.
[[nodiscard]] std::string syscall_name(std::int64_t number);

/// "epoll_wait(5, 0x7f01, 128, -1)"; "in user code" when the thread is in none.
[[nodiscard]] std::string syscall_text(const model::SystemCall& call);

}  // namespace icecore::cli
