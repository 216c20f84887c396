// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "snapshot/tracing/ptrace.h"

namespace icecore::snapshot {

/// si_code of what ptrace_call::siginfo() told (include/uapi/asm-generic/siginfo.h); 0 of nothing.
/// Of SIGTRAP: int3 gives SI_KERNEL, single steps and debug registers positive ones, senders in
/// user space 0 or less.
[[nodiscard]] int signal_code(const std::optional<SiginfoBytes>& siginfo);

}  // namespace icecore::snapshot
