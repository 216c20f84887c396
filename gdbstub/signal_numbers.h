// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore::gdbstub {

/// gdb numbers signals in its own way on the wire, lldb sends and wants Linux numbers. Unknown ones
/// become gdb's "unknown signal" (143) and 0.
[[nodiscard]] int linux_to_gdb_signal(int signal);
[[nodiscard]] int gdb_to_linux_signal(int signal);

}  // namespace icecore::gdbstub
