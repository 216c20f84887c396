// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore::replay {

/// si_code of the signal that a thread is stopped with (include/uapi/asm-generic/siginfo.h); 0 when
/// it is not. Of SIGTRAP: int3 gives SI_KERNEL, single steps and debug registers positive ones,
/// senders in user space 0 or less.
[[nodiscard]] int signal_code(int tid);

}  // namespace icecore::replay
