// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "snapshot/proc/unix_diag.h"

namespace icecore::snapshot {

/// All unix sockets of the network namespace that /proc/PID/ns/net of process `pid` is, by
/// sock_diag: the only place that tells their peers. Empty when the kernel has no unix_diag. When
/// the namespace is not icecore's own a thread enters it for the moment of the question.
std::vector<proc::UnixSocket> list_unix_sockets(int pid);

}  // namespace icecore::snapshot
