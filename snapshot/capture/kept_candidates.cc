// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/kept_candidates.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "snapshot/capture/borrowed_descriptor.h"
#include "snapshot/capture/description.h"
#include "snapshot/capture/mappings.h"

namespace icecore::snapshot {
namespace {

using model::KeptFile;
using model::OpenFile;

using Key = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

Key key_of(const model::FileIdentity& identity) { return {identity.device(), identity.inode()}; }

bool is_writable(const OpenFile& file) { return (file.flags() & O_ACCMODE) != O_RDONLY; }

KeptFile::Cause cause_of(const OpenFile& file, Written written) {
  if ((file.flags() & O_PATH) != 0 || file.identity().size() == 0) return KeptFile::UNKNOWN;
  if (file.kind() == OpenFile::MEMFD) return KeptFile::MEMFD;
  if (file.kind() != OpenFile::REGULAR) return KeptFile::UNKNOWN;
  if (file.identity().links() == 0) return KeptFile::DELETED;
  return written == Written::Keep && is_writable(file) ? KeptFile::WRITTEN : KeptFile::UNKNOWN;
}

/// Its pages are kept whole by SharedMemory.
bool is_held_as_memory(const model::SharedObject& object) {
  return object.kind() != model::SharedObject::FILE;
}

class CandidateSearch {
 public:
  CandidateSearch(const model::Snapshot& snapshot, Written written)
      : snapshot_(snapshot), written_(written) {}

  std::vector<KeptCandidate> run() {
    for (const auto& object : snapshot_.shared_objects()) {
      shared_[key_of(object.identity())] = &object;
    }
    for (const auto& process : snapshot_.processes()) {
      for (const auto& descriptor : process.descriptors()) look_at(process, descriptor);
      for (const auto& mapping : process.mappings()) look_at(process, mapping);
    }
    std::vector<KeptCandidate> list;
    for (auto& [key, candidate] : found_) list.push_back(std::move(candidate));
    return list;
  }

 private:
  void look_at(const model::Process& process, const model::FileDescriptor& descriptor) {
    const auto index = static_cast<int>(descriptor.description()) - 1;
    if (index < 0 || index >= snapshot_.open_files_size()) return;
    const OpenFile& file = snapshot_.open_files(index);
    const auto cause = cause_of(file, written_);
    if (cause == KeptFile::UNKNOWN) return;
    const auto shared = shared_.find(key_of(file.identity()));
    if (shared != shared_.end() && is_held_as_memory(*shared->second)) return;
    KeptCandidate candidate;
    candidate.cause = cause;
    candidate.path = file.target();
    candidate.identity = file.identity();
    candidate.pid = process.pid();
    candidate.link = "fd/" + std::to_string(descriptor.fd());
    candidate.object = "fd " + std::to_string(descriptor.fd()) + " (" + file.target() + ")";
    candidate.mapped_for_writing = shared != shared_.end();
    candidate.has_lease = has_lease(file);
    found_.try_emplace(key_of(file.identity()), std::move(candidate));
  }

  // A file that is mapped shared and writable, its descriptor closed.
  void look_at(const model::Process& process, const model::Mapping& mapping) {
    if (mapping.shared_space() == 0) return;
    const auto object = std::ranges::find(snapshot_.shared_objects(), mapping.shared_space(),
                                          &model::SharedObject::space);
    if (object == snapshot_.shared_objects().end() || is_held_as_memory(*object)) return;
    if (object->identity().size() == 0) return;
    const bool deleted = object->identity().links() == 0;
    if (!deleted && written_ == Written::Ignore) return;
    KeptCandidate candidate;
    candidate.cause = deleted ? KeptFile::DELETED : KeptFile::WRITTEN;
    candidate.path = mapping.name();
    candidate.identity = object->identity();
    candidate.pid = process.pid();
    candidate.link = "map_files/" + mapping_range(mapping);
    candidate.object = "mapping " + mapping_range(mapping) + " (" + mapping.name() + ")";
    candidate.mapped_for_writing = true;
    found_.try_emplace(key_of(object->identity()), std::move(candidate));
  }

  const model::Snapshot& snapshot_;
  Written written_;
  std::map<Key, const model::SharedObject*> shared_;
  std::map<Key, KeptCandidate> found_;
};

bool has_contents(int fd) {
  constexpr std::array<unsigned long, 10> kKernelsOwn = {
      PROC_SUPER_MAGIC, SYSFS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC,
      SECURITYFS_MAGIC, TRACEFS_MAGIC, PSTOREFS_MAGIC,     EFIVARFS_MAGIC,      BPF_FS_MAGIC};
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return false;
  return std::ranges::find(kKernelsOwn, static_cast<unsigned long>(system.f_type)) ==
         kKernelsOwn.end();
}

UniqueFd borrow(const KeptCandidate& candidate) {
  const DescriptorLender lender(candidate.pid);
  UniqueFd fd = lender.borrow(std::stoi(candidate.link.substr(candidate.link.find('/') + 1)));
  if (fd.valid() && (::fcntl(fd.get(), F_GETFL) & O_ACCMODE) == O_WRONLY) fd.reset();
  return fd;
}

}  // namespace

std::vector<KeptCandidate> find_kept_candidates(const model::Snapshot& snapshot, Written written) {
  return CandidateSearch(snapshot, written).run();
}

UniqueFd open_candidate(const KeptCandidate& candidate) {
  UniqueFd fd;
  // To open it would break the lease.
  if (candidate.has_lease) {
    fd = borrow(candidate);
  } else {
    const std::string path = "/proc/" + std::to_string(candidate.pid) + "/" + candidate.link;
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    fd.reset(::open(path.c_str(), kFlags | O_NOATIME));
    if (!fd.valid()) fd.reset(::open(path.c_str(), kFlags));
  }
  if (fd.valid() && !has_contents(fd.get())) fd.reset();
  return fd;
}

}  // namespace icecore::snapshot
