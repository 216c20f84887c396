// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/ipc_objects.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "snapshot/capture/inside_namespace.h"
#include "snapshot/capture/namespaces.h"
#include "snapshot/capture/root_process.h"

namespace icecore::replay {
namespace {

const model::Namespace* roots_own(const model::Snapshot& snapshot, std::string_view kind) {
  const auto* root = snapshot::root_process(snapshot);
  return root == nullptr ? nullptr : snapshot::own_namespace(*root, kind);
}

void expect_id(const model::IpcPermissions& permissions, int id, const char* call) {
  if (id < 0) throw_errno(call);
  if (id != permissions.id()) throw Error("the kernel gave it the id " + std::to_string(id));
}

void set(const model::IpcPermissions& from, ipc_perm& to) {
  to.uid = from.uid();
  to.gid = from.gid();
  to.mode = static_cast<unsigned short>(from.mode() & kPermissions);
}

void make(const model::SemaphoreSet& wanted) {
  const auto& permissions = wanted.permissions();
  choose_next_id("sem", permissions.id());
  const int id = ::semget(permissions.key(), wanted.values_size(), IPC_CREAT | IPC_EXCL | 0600);
  expect_id(permissions, id, "semget");
  std::vector<unsigned short> values(wanted.values().begin(), wanted.values().end());
  if (::semctl(id, 0, SETALL, values.data()) != 0) throw_errno("semctl SETALL");
  semid_ds status{};
  if (::semctl(id, 0, IPC_STAT, &status) != 0) throw_errno("semctl IPC_STAT");
  set(permissions, status.sem_perm);
  if (::semctl(id, 0, IPC_SET, &status) != 0) throw_errno("semctl IPC_SET");
}

void make(const model::MessageQueue& wanted) {
  const auto& permissions = wanted.permissions();
  choose_next_id("msg", permissions.id());
  const int id = ::msgget(permissions.key(), IPC_CREAT | IPC_EXCL | 0600);
  expect_id(permissions, id, "msgget");
  msqid_ds status{};
  if (::msgctl(id, IPC_STAT, &status) != 0) throw_errno("msgctl IPC_STAT");
  status.msg_qbytes = wanted.most_bytes();
  set(permissions, status.msg_perm);
  if (::msgctl(id, IPC_SET, &status) != 0) throw_errno("msgctl IPC_SET");
  for (const auto& message : wanted.messages()) {
    std::vector<char> bytes(sizeof(long) + message.text().size());
    const long type = message.type();
    std::memcpy(bytes.data(), &type, sizeof type);
    std::ranges::copy(message.text(), bytes.begin() + sizeof(long));
    if (::msgsnd(id, bytes.data(), message.text().size(), IPC_NOWAIT) != 0) throw_errno("msgsnd");
  }
}

void make(const model::PosixQueue& wanted) {
  struct ::mq_attr attributes {};
  attributes.mq_maxmsg = wanted.most_messages();
  attributes.mq_msgsize = wanted.longest_message();
  const UniqueFd queue(
      ::mq_open(wanted.name().c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes));
  if (!queue.valid()) throw_errno("mq_open");
  if (::fchown(queue.get(), wanted.uid(), wanted.gid()) != 0) throw_errno("fchown");
  if (::fchmod(queue.get(), wanted.mode()) != 0) throw_errno("fchmod");
}

template <typename Objects>
void make_all(const Objects& objects, const char* kind) {
  for (const auto& object : objects) {
    with_context(kind + (" " + std::to_string(object.permissions().id())), [&] { make(object); });
  }
}

}  // namespace

bool had_own_namespace(const model::Snapshot& snapshot, std::string_view kind) {
  return roots_own(snapshot, kind) != nullptr;
}

void choose_next_id(const char* kind, int id) {
  const std::string path = std::string("/proc/sys/kernel/") + kind + "_next_id";
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(id);
  if (!file.valid() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw_errno("choosing its id in " + path);
  }
}

void make_ipc_objects(const model::Snapshot& snapshot, int pid) {
  const auto* space = roots_own(snapshot, "ipc");
  if (space == nullptr) return;
  const auto held =
      std::ranges::find(snapshot.ipc_namespaces(), space->inode(), &model::IpcNamespace::inode);
  if (held == snapshot.ipc_namespaces().end()) return;
  snapshot::inside_namespace(snapshot::NamespaceKind::Ipc, pid, [&] {
    make_all(held->semaphore_sets(), "System V semaphores");
    make_all(held->message_queues(), "System V message queue");
    for (const auto& queue : held->posix_queues()) {
      with_context("message queue " + queue.name(), [&] { make(queue); });
    }
  });
}

void set_host_name(const model::Snapshot& snapshot, int pid) {
  const auto* space = roots_own(snapshot, "uts");
  if (space == nullptr) return;
  snapshot::inside_namespace(snapshot::NamespaceKind::Uts, pid, [&] {
    const std::string& host = space->host_name();
    const std::string& domain = space->domain_name();
    if (::sethostname(host.data(), host.size()) != 0) throw_errno("sethostname " + host);
    if (::setdomainname(domain.data(), domain.size()) != 0) throw_errno("setdomainname " + domain);
  });
}

}  // namespace icecore::replay
