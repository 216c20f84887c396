// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace icecore::snapshot {

/// Namespaces that one thread can enter without the others.
enum class NamespaceKind { Ipc, Uts };

/// Runs `work` in that namespace of process `pid`: on a thread of its own when it is not ours.
/// Throws what `work` throws, and Error when the namespace cannot be entered, which needs
/// CAP_SYS_ADMIN.
void inside_namespace(NamespaceKind kind, int pid, const std::function<void()>& work);

}  // namespace icecore::snapshot
