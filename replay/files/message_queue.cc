// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <mqueue.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "replay/files/makers.h"
#include "replay/files/status_flags.h"
#include "replay/restore/ipc_objects.h"
#include "replay/restore/memory_segments.h"
#include "snapshot/capture/inside_namespace.h"
#include "snapshot/capture/posix_queues.h"

namespace icecore::replay {
namespace {

constexpr unsigned kOpenFlags = O_ACCMODE | O_NONBLOCK;

UniqueFd open_queue(const std::string& name, unsigned flags) {
  return UniqueFd(::mq_open(name.c_str(), static_cast<int>(flags | O_CLOEXEC)));
}

/// Of a queue in the namespace that the tree shares with us: it is used as it is, if it is the
/// same.
Objection check_shared(const Checking& checking, const model::PosixQueue& queue) {
  const UniqueFd fd = open_queue(queue.name(), O_RDONLY | O_NONBLOCK);
  if (!fd.valid()) return {"the message queue is gone", ""};
  model::PosixQueue now;
  snapshot::fill_posix_queue(fd.get(), now);
  if (now.inode() != queue.inode()) return {"there is another message queue of that name", ""};
  const bool kept = checking.options.changed == FileOptions::Changed::Keep;
  if (now.messages() != queue.messages() && !kept) {
    return {std::to_string(queue.messages()) + " messages waited in it then, " +
                std::to_string(now.messages()) + " now",
            "use it as it is with --files keep"};
  }
  return {};
}

}  // namespace

Objection check_message_queue(const Checking& checking, const model::OpenFile& file) {
  if (!file.has_posix_queue()) return {"its state could not be read", ""};
  const auto& queue = file.posix_queue();
  if (file.deleted()) return {"the message queue has no name any more", ""};
  if (queue.notified_pid() != 0) {
    return {
        "a process waits to be told of its next message, and what it is to be told is not known",
        ""};
  }
  if (had_own_namespace(checking.model, "ipc")) return {};
  if (needs_own_ipc(checking.model, checking.in_place)) {
    return {"the tree gets an IPC namespace of its own for its System V memory, without this queue",
            "restore it in place"};
  }
  return check_shared(checking, queue);
}

void make_message_queue(Making& making, const model::OpenFile& file) {
  UniqueFd fd;
  snapshot::inside_namespace(snapshot::NamespaceKind::Ipc, making.surroundings.maker->pid(), [&] {
    fd = open_queue(file.posix_queue().name(), file.flags() & kOpenFlags);
    if (!fd.valid()) throw_errno("mq_open");
  });
  making.made.emplace(file.id(), std::move(fd));
}

}  // namespace icecore::replay
