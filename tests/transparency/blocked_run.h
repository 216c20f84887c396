// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "snapshot/tracing/traced_tree.h"

namespace icecore::test {

/// One case of a blocked_* victim.
struct BlockedCase {
  std::string program;
  std::string name;
  int timeout_ms = 0;  ///< 0: ends when it is woken
};
std::vector<BlockedCase> cases_of(const std::string& program);

/// What one run of a case showed.
struct BlockedOutcome {
  std::string result;  ///< of the call, with what the program saw of signals and registers
  std::string parent;  ///< signals and wait statuses at the program's parent
  long microseconds = 0;
  long pauses_us = 0;     ///< how long it was frozen, in all
  std::string complaint;  ///< what differed while it was blocked; empty is good
};

BlockedOutcome run_undisturbed(const BlockedCase& blocked);
/// Freezes and thaws it `cycles` times while it is blocked, as Recorder does; the first three are
/// full snapshots. Traces from the calling thread and takes all wait statuses of this process.
BlockedOutcome run_frozen(const BlockedCase& blocked, int cycles,
                          snapshot::TracedTree::Between between);

/// How `frozen` differs from `undisturbed` in a way that the program could notice; empty is good.
std::string noticeable(const BlockedCase& blocked, const BlockedOutcome& undisturbed,
                       const BlockedOutcome& frozen);

}  // namespace icecore::test
