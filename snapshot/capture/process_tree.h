// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace icecore::snapshot {

/// `root` and all its descendants that live now, parents before their children, zombies included.
/// Of a tree that forks and exits meanwhile: lists again until nothing new comes, and keeps a
/// process whose parent died while it was listed. Empty when there is no `root`. A process that was
/// reparented away before cannot be found this way; only a cgroup knows it.
std::vector<int> process_tree(int root);

/// The same from the parent ids of all processes, for kernels without /proc/PID/task/TID/children.
std::vector<int> process_tree_by_parents(int root);

}  // namespace icecore::snapshot
