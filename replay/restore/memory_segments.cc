// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/memory_segments.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "replay/restore/ipc_objects.h"
#include "snapshot/capture/inside_namespace.h"

namespace icecore::replay {
MemorySegments::MemorySegments(const snapshot::StoredSnapshot& snapshot, int pid)
    : snapshot_(snapshot), pid_(pid) {
  const auto& objects = snapshot.model().shared_objects();
  if (std::ranges::none_of(objects, is_segment)) return;
  snapshot::inside_namespace(snapshot::NamespaceKind::Ipc, pid, [&] {
    for (const auto& object : objects) {
      if (is_segment(object)) with_context(name_of_segment(object), [&] { make(object); });
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
  if (const auto reason = obstacle_to_segment(object); !reason.empty()) throw Refused(reason);
  shmid_ds settings{};
  if (::shmctl(object.sysv_id(), IPC_STAT, &settings) != 0) {
    choose_next_id("shm", object.sysv_id());
    const int id =
        ::shmget(object.sysv_key(), object.identity().size(), IPC_CREAT | IPC_EXCL | 0600);
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
