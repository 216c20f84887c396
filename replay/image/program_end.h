// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace icecore::replay {

/// Kills every process of `session` and every child of ours, and returns when nothing of them is
/// left. We are the subreaper of what was started in that session, so that those that have left it
/// are ours too, once their parents have ended. Reaps all of them, and threads that we trace.
void end_session(int session);

}  // namespace icecore::replay
