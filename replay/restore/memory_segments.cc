// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/memory_segments.h"

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "snapshot/capture/inside_namespace.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/text.h"

namespace icecore::replay {
namespace {

constexpr unsigned kPermissions = 0777;

bool is_segment(const model::SharedObject& object) {
  return object.kind() == model::SharedObject::SYSV;
}

std::string name_of(const model::SharedObject& object) {
  return "System V shared memory " + std::to_string(object.sysv_id());
}

bool had_own_ipc(const model::Snapshot& snapshot) {
  for (const auto& process : snapshot.processes()) {
    for (const auto& space : process.namespaces()) {
      if (space.kind() == "ipc" && !space.shared_with_icecore()) return true;
    }
  }
  return false;
}

/// The next object of this kind in our IPC namespace gets that id; since Linux 3.9 with
/// CONFIG_CHECKPOINT_RESTORE.
void choose_next_id(int id) {
  const UniqueFd file(::open("/proc/sys/kernel/shm_next_id", O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(id);
  if (!file.valid() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw_errno("choosing its id in /proc/sys/kernel/shm_next_id");
  }
}

/// A segment is attached whole: where the program has unmapped a part of it, shmat(2) cannot make
/// the rest.
std::set<std::uint64_t> partly_attached(const model::Snapshot& snapshot) {
  std::map<std::uint64_t, std::uint64_t> sizes;
  for (const auto& object : snapshot.shared_objects()) {
    if (is_segment(object)) sizes[object.space()] = object.identity().size();
  }
  std::set<std::uint64_t> partly;
  for (const auto& process : snapshot.processes()) {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t>
        mapped;  // space, base -> bytes
    for (const auto& mapping : process.mappings()) {
      if (!sizes.contains(mapping.shared_space())) continue;
      mapped[{mapping.shared_space(), mapping.start() - mapping.offset()}] +=
          mapping.end() - mapping.start();
    }
    for (const auto& [attached, bytes] : mapped) {
      const std::uint64_t size = sizes[attached.first];
      const std::uint64_t whole = (size + store::kPageSize - 1) / store::kPageSize;
      if (bytes != whole * store::kPageSize) partly.insert(attached.first);
    }
  }
  return partly;
}

/// Why the segment of that id in our IPC namespace cannot be used or made; empty when it can.
std::string obstacle(const model::SharedObject& object) {
  shmid_ds there{};
  if (::shmctl(object.sysv_id(), IPC_STAT, &there) == 0) {
    if (there.shm_nattch != 0) {
      return std::to_string(there.shm_nattch) + " attach it now (last used by process " +
             std::to_string(there.shm_lpid) + ")";
    }
    const bool same =
        there.shm_perm.__key == object.sysv_key() && there.shm_segsz == object.identity().size();
    return same ? "" : "its id is taken by a segment of another key or size";
  }
  if (object.sysv_key() == IPC_PRIVATE) return {};
  const int other = ::shmget(object.sysv_key(), 0, 0);
  return other < 0 ? "" : "its key is taken by segment " + std::to_string(other);
}

/// Sets of semaphores that a process of the tree was the last to change: they would stay behind.
std::vector<int> semaphores_of(const model::Snapshot& snapshot) {
  std::set<int> pids;
  for (const auto& process : snapshot.processes()) pids.insert(process.pid());
  std::vector<int> sets;
  const std::string text = snapshot::ProcDirectory::read_file("/proc/sysvipc/sem");
  std::string_view rest = text;
  snapshot::proc::take_line(rest);  // the head
  while (!rest.empty()) {
    std::string_view line = snapshot::proc::take_line(rest);
    snapshot::proc::take_word(line);  // key
    const int id = snapshot::proc::take_number<int>(line);
    snapshot::proc::take_word(line);  // permissions
    const int count = snapshot::proc::take_number<int>(line);
    for (int i = 0; i < count; ++i) {
      if (!pids.contains(::semctl(id, i, GETPID))) continue;
      sets.push_back(id);
      break;
    }
  }
  return sets;
}

bool was_taken_here(const model::Snapshot& snapshot) {
  std::string boot = snapshot::ProcDirectory::read_file("/proc/sys/kernel/random/boot_id");
  while (!boot.empty() && boot.back() == '\n') boot.pop_back();
  return snapshot.machine().boot_id() == boot;
}

}  // namespace

bool needs_own_ipc(const model::Snapshot& snapshot, bool in_place) {
  return std::ranges::any_of(snapshot.shared_objects(), is_segment) &&
         (!in_place || had_own_ipc(snapshot));
}

Refusals check_segments(const model::Snapshot& snapshot, bool in_place) {
  Refusals refusals;
  const auto partly = partly_attached(snapshot);
  const bool own = needs_own_ipc(snapshot, in_place);
  bool any = false;
  for (const auto& object : snapshot.shared_objects()) {
    if (!is_segment(object)) continue;
    any = true;
    std::string reason;
    if (object.identity().size() == 0) {
      reason = "its size was not readable when the snapshot was taken";
    } else if (partly.contains(object.space())) {
      reason = "a process has unmapped a part of it, which shmat(2) cannot do again";
    } else if (!own) {
      reason = obstacle(object);
    }
    if (!reason.empty()) refusals.push_back({0, name_of(object), reason, ""});
  }
  if (any && own && !had_own_ipc(snapshot) && was_taken_here(snapshot)) {
    for (const int id : semaphores_of(snapshot)) {
      refusals.push_back(
          {0, "System V semaphores " + std::to_string(id),
           "they cannot be taken along into the IPC namespace that the tree's shared "
           "memory needs beside the original",
           "icecore restore --in-place keeps the present ones"});
    }
  }
  return refusals;
}

MemorySegments::MemorySegments(const snapshot::StoredSnapshot& snapshot, int pid)
    : snapshot_(snapshot), pid_(pid) {
  const auto& objects = snapshot.model().shared_objects();
  if (std::ranges::none_of(objects, is_segment)) return;
  snapshot::inside_namespace(snapshot::NamespaceKind::Ipc, pid, [&] {
    for (const auto& object : objects) {
      if (is_segment(object)) with_context(name_of(object), [&] { make(object); });
    }
  });
}

MemorySegments::~MemorySegments() {
  if (made_.empty()) return;
  try {
    snapshot::inside_namespace(snapshot::NamespaceKind::Ipc, pid_, [&] {
      for (const int id : made_) ::shmctl(id, IPC_RMID, nullptr);
    });
  } catch (const Error& error) {
    log(Topic::Tracing, std::string("removing shared memory: ") + error.what());
  }
}

void MemorySegments::make(const model::SharedObject& object) {
  if (const auto reason = obstacle(object); !reason.empty()) throw Refused(reason);
  shmid_ds settings{};
  if (::shmctl(object.sysv_id(), IPC_STAT, &settings) != 0) {
    choose_next_id(object.sysv_id());
    const int id = ::shmget(object.sysv_key(), object.identity().size(),
                            IPC_CREAT | IPC_EXCL | static_cast<int>(kPermissions & 0600U));
    if (id < 0) throw_errno("shmget");
    made_.push_back(id);
    if (id != object.sysv_id()) throw Error("the kernel gave it the id " + std::to_string(id));
    if (::shmctl(id, IPC_STAT, &settings) != 0) throw_errno("shmctl IPC_STAT");
  }
  fill(object);
  settings.shm_perm.uid = object.identity().uid();
  settings.shm_perm.gid = object.identity().gid();
  settings.shm_perm.mode = static_cast<unsigned short>(object.identity().mode() & kPermissions);
  if (::shmctl(object.sysv_id(), IPC_SET, &settings) != 0) throw_errno("shmctl IPC_SET");
  if ((object.identity().mode() & SHM_LOCKED) != 0) {
    ::shmctl(object.sysv_id(), SHM_LOCK, nullptr);
  }
}

void MemorySegments::fill(const model::SharedObject& object) const {
  void* const memory = ::shmat(object.sysv_id(), nullptr, 0);
  if (memory == reinterpret_cast<void*>(-1)) throw_errno("shmat");
  const auto& reader = snapshot_.reader();
  const store::SpaceId space{object.space()};
  const std::uint64_t pages = (object.identity().size() + store::kPageSize - 1) / store::kPageSize;
  auto* const bytes = static_cast<std::byte*>(memory);
  try {
    for (std::uint64_t page = 0; page < pages; ++page) {
      const std::span<std::byte, store::kPageSize> place(bytes + page * store::kPageSize,
                                                         store::kPageSize);
      if (reader.version(space, page).kind == store::PageVersion::Kind::Stored) {
        reader.read_page(space, page, place);
      } else if (std::ranges::any_of(place, [](std::byte b) { return b != std::byte{0}; })) {
        std::ranges::fill(place, std::byte{0});
      }
    }
  } catch (...) {
    ::shmdt(memory);
    throw;
  }
  ::shmdt(memory);
}

void MemorySegments::keep() {
  made_.clear();
  const auto& objects = snapshot_.model().shared_objects();
  const auto is_removed = [](const model::SharedObject& object) {
    return is_segment(object) && (object.identity().mode() & SHM_DEST) != 0;
  };
  if (std::ranges::none_of(objects, is_removed)) return;
  snapshot::inside_namespace(snapshot::NamespaceKind::Ipc, pid_, [&] {
    for (const auto& object : objects) {
      if (is_removed(object)) ::shmctl(object.sysv_id(), IPC_RMID, nullptr);
    }
  });
}

}  // namespace icecore::replay
