// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/memory_shared.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "snapshot/capture/file_identity.h"
#include "snapshot/capture/file_pages.h"
#include "snapshot/capture/inside_namespace.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/capture/memory_scan.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

/// The object itself, through one of its mappings. Needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
UniqueFd open_object(const model::Process& process, const model::Mapping& mapping) {
  const std::string path =
      "/proc/" + std::to_string(process.pid()) + "/map_files/" + mapping_range(mapping);
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

model::SharedObject::Kind kind_of(const model::Mapping& mapping, int fd) {
  const std::string& name = mapping.name();
  if (name.starts_with("/memfd:")) return model::SharedObject::MEMFD;
  if (name.starts_with("/SYSV")) return model::SharedObject::SYSV;
  if (name.starts_with("/dev/zero")) return model::SharedObject::ANONYMOUS;
  if (name.starts_with("/anon_hugepage")) return model::SharedObject::HUGETLB;
  struct statfs system {};
  if (fd >= 0 && ::fstatfs(fd, &system) == 0) {
    if (system.f_type == TMPFS_MAGIC) return model::SharedObject::TMPFS;
    if (system.f_type == HUGETLBFS_MAGIC) return model::SharedObject::HUGETLB;
    return model::SharedObject::FILE;
  }
  return name.starts_with("/dev/shm/") ? model::SharedObject::TMPFS : model::SharedObject::FILE;
}

bool is_shared_memory(const model::Mapping& mapping) {
  if (!mapping.shared() || mapping.content() != model::Mapping::HELD) return false;
  // The number of System V memory is its id, and the first of a namespace has 0.
  if (mapping.inode() == 0 && !mapping.name().starts_with("/SYSV")) return false;
  const bool memory_name =
      mapping.name().starts_with("/memfd:") || mapping.name().starts_with("/SYSV") ||
      mapping.name().starts_with("/dev/zero") || mapping.name().starts_with("/anon_hugepage") ||
      mapping.name().starts_with("/dev/shm/");
  // A file that can be written through the mapping ("mw": VM_MAYWRITE) is memory; else it is a
  // file.
  return memory_name || mapping.writable() || mapping.flags().find("mw") != std::string::npos;
}

/// The pages of the object that some mapping shows.
PageSet mapped_pages(const model::Mapping& mapping) {
  return {
      {mapping.offset() / store::kPageSize, (mapping.end() - mapping.start()) / store::kPageSize}};
}

/// Its inode tells nothing of its owner and mode; what shmctl(2) says does.
void fill_segment(int pid, const model::Mapping& mapping, model::SharedObject& object) {
  const std::string_view key =
      std::string_view(mapping.name()).substr(std::string_view("/SYSV").size(), 8);
  object.set_sysv_id(static_cast<int>(mapping.inode()));
  object.set_sysv_key(static_cast<int>(proc::to_number<std::uint32_t>(key, 16).value_or(0)));
  shmid_ds status{};
  try {
    inside_namespace(NamespaceKind::Ipc, pid, [&] {
      if (::shmctl(object.sysv_id(), IPC_STAT, &status) != 0) throw_errno("shmctl");
    });
  } catch (const Error& error) {
    log(Topic::Capture,
        "System V shared memory " + std::to_string(object.sysv_id()) + ": " + error.what());
    return;
  }
  object.mutable_identity()->set_size(status.shm_segsz);
  object.mutable_identity()->set_mode(status.shm_perm.mode);
  object.mutable_identity()->set_uid(status.shm_perm.uid);
  object.mutable_identity()->set_gid(status.shm_perm.gid);
}

/// Without the right to open the object: the pages that a process has in its page tables.
void read_through_process(const model::Process& process, const model::Mapping& mapping,
                          PageBuffer& buffer, PageSet& present, std::vector<store::PageRun>& runs) {
  const PageScanner scanner(process.pid());
  if (!scanner.valid()) return;
  std::vector<CopiedRun> copies;
  PageSet failed;
  PageCopier copier(process.pid(), buffer);
  copier.copy(
      scanner.populated_pages(mapping.start(), mapping.end()),
      mapping.readable() ? PageCopier::Protection::Readable : PageCopier::Protection::Unreadable,
      copies, failed);
  for (const auto& copy : copies) {
    const std::uint64_t first =
        copy.first - mapping.start() / store::kPageSize + mapping.offset() / store::kPageSize;
    const PageSet fresh = subtract({{first, copy.count}}, present);
    for (const auto& run : fresh) {
      runs.push_back({store::PageRun::Kind::Data,
                      run.first,
                      run.count,
                      copy.data + (run.first - first) * store::kPageSize,
                      {}});
    }
    present = unite(present, fresh);
  }
}

}  // namespace

bool SharedMemory::is_used(const model::Snapshot& snapshot) {
  return std::ranges::any_of(snapshot.processes(), [](const model::Process& process) {
    return std::ranges::any_of(process.mappings(), is_shared_memory);
  });
}

std::vector<SharedMemory::Delta> SharedMemory::capture(model::Snapshot& snapshot,
                                                       PageBuffer& buffer) {
  std::map<Key, std::vector<User>> users;
  for (auto& process : *snapshot.mutable_processes()) {
    for (auto& mapping : *process.mutable_mappings()) {
      if (is_shared_memory(mapping)) {
        users[{mapping.device(), mapping.inode()}].push_back({&process, &mapping});
      }
    }
  }
  ++generation_;
  std::vector<Delta> deltas;
  for (auto& [key, list] : users) {
    auto [entry, inserted] = objects_.try_emplace(key);
    if (inserted) entry->second.space = new_space_();
    entry->second.last_seen = generation_;
    deltas.push_back(capture_object(entry->second, list, snapshot, buffer));
  }
  // An inode number may come back for another object: it must then begin a space of its own.
  std::erase_if(objects_,
                [this](const auto& entry) { return entry.second.last_seen != generation_; });
  return deltas;
}

SharedMemory::Delta SharedMemory::capture_object(Object& object, const std::vector<User>& users,
                                                 model::Snapshot& snapshot, PageBuffer& buffer) {
  Delta delta;
  delta.space = object.space;
  const auto& first = users.front();
  const UniqueFd fd = open_object(*first.process, *first.mapping);
  auto* shared = snapshot.add_shared_objects();
  shared->set_space(static_cast<std::uint64_t>(object.space));
  shared->set_kind(kind_of(*first.mapping, fd.get()));
  shared->set_name(first.mapping->name());
  struct stat status {};
  if (fd.valid() && ::fstat(fd.get(), &status) == 0) {
    fill_identity(status, *shared->mutable_identity());
  }
  if (shared->kind() == model::SharedObject::SYSV) {
    fill_segment(first.process->pid(), *first.mapping, *shared);
  }
  if (shared->kind() == model::SharedObject::MEMFD && fd.valid()) {
    const int seals = ::fcntl(fd.get(), F_GET_SEALS);
    shared->set_seals(seals > 0 ? static_cast<unsigned>(seals) : 0U);
  }

  PageSet pages;
  if (fd.valid()) {
    pages = data_pages(fd.get(), shared->identity().size());
    if (shared->kind() == model::SharedObject::FILE) {
      PageSet mapped;
      for (const auto& user : users) mapped = unite(mapped, mapped_pages(*user.mapping));
      pages = intersect(pages, mapped);
    }
  }
  if (page_count(pages) * store::kPageSize > kMaxObjectBytes) {
    auto* limitation = snapshot.add_limitations();
    limitation->set_pid(first.process->pid());
    limitation->set_object("shared memory " + first.mapping->name());
    limitation->set_reason("it holds more than 1 GiB");
    limitation->set_effect(model::Limitation::INCOMPLETE);
    for (const auto& user : users) user.mapping->set_content(model::Mapping::NOT_HELD);
    return delta;
  }
  for (const auto& user : users) {
    user.mapping->set_shared_space(static_cast<std::uint64_t>(object.space));
    if (!fd.valid()) {
      read_through_process(*user.process, *user.mapping, buffer, pages, delta.runs);
    }
  }
  if (fd.valid()) read_pages(fd.get(), pages, buffer, delta.runs);
  end_missing_pages(object.present, pages, delta.runs);
  object.stored_before = std::move(object.present);
  object.present = std::move(pages);
  return delta;
}

void SharedMemory::forget() {
  for (auto& [key, object] : objects_) {
    object.present = unite(object.present, object.stored_before);
  }
}

}  // namespace icecore::snapshot
