// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/ipc_objects.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/utsname.h>

#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "snapshot/capture/inside_namespace.h"
#include "snapshot/capture/posix_queues.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

constexpr int kMessageCopy = 040000;  // MSG_COPY, since Linux 3.8 with CONFIG_CHECKPOINT_RESTORE
constexpr int kIdColumn = 1;          // in /proc/sysvipc/sem and msg

/// The rows of a file in /proc/sysvipc, as this thread's namespace has them: word `column` of each.
std::vector<int> column_of(const char* file, int column) {
  const std::string text = ProcDirectory::read_file(std::string("/proc/sysvipc/") + file);
  std::string_view rest = text;
  proc::take_line(rest);  // the head
  std::vector<int> numbers;
  while (!rest.empty()) {
    std::string_view line = proc::take_line(rest);
    for (int i = 0; i < column; ++i) proc::take_word(line);
    numbers.push_back(proc::take_number<int>(line));
  }
  return numbers;
}

void fill(const ipc_perm& from, int id, model::IpcPermissions& to) {
  to.set_id(id);
  to.set_key(from.__key);
  to.set_uid(from.uid);
  to.set_gid(from.gid);
  to.set_mode(from.mode);
}

void capture_semaphores(model::IpcNamespace& space) {
  for (const int set : semaphore_sets()) {
    semid_ds status{};
    if (::semctl(set, 0, IPC_STAT, &status) != 0) throw_errno("semctl IPC_STAT");
    std::vector<unsigned short> values(status.sem_nsems);
    if (::semctl(set, 0, GETALL, values.data()) != 0) throw_errno("semctl GETALL");
    model::SemaphoreSet& held = *space.add_semaphore_sets();
    fill(status.sem_perm, set, *held.mutable_permissions());
    held.mutable_values()->Assign(values.begin(), values.end());
  }
}

void capture_messages(int id, std::size_t longest, model::MessageQueue& queue) {
  struct Message {
    long type;
    char text[1];
  };
  std::vector<long> room(longest / sizeof(long) + 2);
  auto* const message = reinterpret_cast<Message*>(room.data());
  for (long index = 0;; ++index) {
    const ssize_t size = ::msgrcv(id, message, longest, index, kMessageCopy | IPC_NOWAIT);
    if (size < 0 && errno == ENOMSG) return;
    if (size < 0) throw_errno("msgrcv MSG_COPY");
    model::QueuedMessage& held = *queue.add_messages();
    held.set_type(message->type);
    held.set_text(message->text, static_cast<std::size_t>(size));
  }
}

void capture_queues(model::IpcNamespace& space) {
  for (const int id : column_of("msg", kIdColumn)) {
    msqid_ds status{};
    if (::msgctl(id, IPC_STAT, &status) != 0) throw_errno("msgctl IPC_STAT");
    model::MessageQueue& queue = *space.add_message_queues();
    fill(status.msg_perm, id, *queue.mutable_permissions());
    queue.set_most_bytes(status.msg_qbytes);
    capture_messages(id, status.__msg_cbytes, queue);
  }
}

void capture_rest(model::IpcNamespace& space) {
  constexpr int kAttachedColumn = 6;
  std::size_t unattached = 0;
  for (const int attached : column_of("shm", kAttachedColumn)) unattached += attached == 0 ? 1 : 0;
  if (unattached != 0) {
    space.add_not_held(std::to_string(unattached) + " segments that nobody attaches");
  }
  for (auto& queue : posix_queues()) {
    if (queue.messages() != 0) {
      space.add_not_held("the messages in POSIX queue " + queue.name());
    }
    *space.add_posix_queues() = std::move(queue);
  }
}

void capture_ipc(int pid, std::uint64_t inode, model::Snapshot& snapshot) {
  model::IpcNamespace space;
  space.set_inode(inode);
  inside_namespace(NamespaceKind::Ipc, pid, [&] {
    capture_semaphores(space);
    capture_queues(space);
    capture_rest(space);
  });
  *snapshot.add_ipc_namespaces() = std::move(space);
}

void capture_names(int pid, model::Namespace& space) {
  utsname names{};
  inside_namespace(NamespaceKind::Uts, pid, [&] { ::uname(&names); });
  space.set_host_name(names.nodename);
  space.set_domain_name(names.domainname);
}

}  // namespace

std::vector<int> semaphore_sets() { return column_of("sem", kIdColumn); }

void capture_ipc_objects(model::Snapshot& snapshot) {
  std::map<std::uint64_t, const model::Namespace*> seen;
  for (auto& process : *snapshot.mutable_processes()) {
    for (auto& space : *process.mutable_namespaces()) {
      const bool is_ipc = space.kind() == "ipc";
      if (space.shared_with_icecore() || (!is_ipc && space.kind() != "uts")) continue;
      const auto [known, added] = seen.emplace(space.inode(), &space);
      try {
        if (is_ipc) {
          if (added) capture_ipc(process.pid(), space.inode(), snapshot);
        } else if (added) {
          capture_names(process.pid(), space);
        } else {
          space.set_host_name(known->second->host_name());
          space.set_domain_name(known->second->domain_name());
        }
      } catch (const Error& error) {
        log(Topic::Capture, space.kind() + " namespace: " + error.what());
      }
    }
  }
}

}  // namespace icecore::snapshot
