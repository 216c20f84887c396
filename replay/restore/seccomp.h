// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/restore/restored_process.h"

namespace icecore::replay {

/// Puts all threads of a process below the seccomp that they were below: the same filters in the
/// same order, or strict mode. It does nothing yet to the calls that the threads still make for us:
/// it is suspended until they are let go, or resume_seccomp(). While they have the rights to
/// install filters.
void install_seccomp(RestoredProcess& process);

/// For threads that stay traced: their seccomp works from here on.
void resume_seccomp(const RestoredProcess& process);

}  // namespace icecore::replay
