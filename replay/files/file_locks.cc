// SPDX-License-Identifier: Apache-2.0
#include "replay/files/file_locks.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "replay/files/inherited.h"
#include "replay/files/lock_line.h"

namespace icecore::replay {
namespace {

using model::OpenFile;

std::vector<LockLine> locks_of(const OpenFile& file) {
  std::vector<LockLine> locks;
  for (const auto& line : file.fdinfo()) {
    if (!line.starts_with("lock:")) continue;
    if (auto lock = parse_lock_line(line)) locks.push_back(std::move(*lock));
  }
  return locks;
}

/// "process 12 (redis-server) holds a lock on it", of what stands in the way of `wanted`.
std::optional<std::string> find_holder(const LockLine& wanted) {
  std::ifstream all("/proc/locks");
  for (std::string line; std::getline(all, line);) {
    const auto held = parse_lock_line(line);
    if (!held || held->goes_with(wanted)) continue;
    if (held->pid <= 0) return "somebody holds a lock on it";
    std::ifstream comm_file("/proc/" + std::to_string(held->pid) + "/comm");
    std::string comm;
    std::getline(comm_file, comm);
    return "process " + std::to_string(held->pid) + (comm.empty() ? "" : " (" + comm + ")") +
           " holds a lock on it";
  }
  return std::nullopt;
}

struct flock range_of(const LockLine& lock) {
  struct flock range {};
  range.l_type = static_cast<short>(lock.exclusive ? F_WRLCK : F_RDLCK);
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(lock.start);
  range.l_len = lock.end == ~std::uint64_t{0} ? 0 : static_cast<off_t>(lock.end - lock.start + 1);
  return range;
}

[[noreturn]] void throw_held(const std::string& what, const LockLine& lock, int error) {
  if (error != EAGAIN && error != EACCES && error != EWOULDBLOCK) throw_errno(what, error);
  Refused refused(what + ": " + find_holder(lock).value_or("somebody holds a lock on it"));
  refused.set_why("the tree had locked the file, and only one can");
  throw refused;
}

/// Whether a lock of F_SETLK can be taken by way of `file`; a process may have others of the same
/// file.
bool may_lock(const OpenFile& file, const LockLine& lock) {
  const unsigned mode = file.flags() & O_ACCMODE;
  if ((file.flags() & O_PATH) != 0) return false;
  return mode == O_RDWR || mode == (lock.exclusive ? O_WRONLY : O_RDONLY);
}

bool has_description(const model::Process& process, std::uint32_t id) {
  return std::ranges::any_of(process.descriptors(), [&](const model::FileDescriptor& descriptor) {
    return descriptor.description() == id;
  });
}

/// Whether the lock's maker lives in the tree and can make it again.
bool has_maker(const model::Snapshot& snapshot, const LockLine& lock, std::uint32_t description) {
  return std::ranges::any_of(snapshot.processes(), [&](const model::Process& process) {
    return process.pid() == lock.pid && has_description(process, description);
  });
}

void add_flock(const model::Snapshot& snapshot, const model::Process& process,
               const model::FileDescriptor& descriptor, bool is_finisher, const OpenFile& file,
               CallBatch& batch) {
  if ((file.flags() & O_PATH) != 0) return;
  for (const auto& lock : locks_of(file)) {
    if (lock.kind != LockLine::Kind::Flock) continue;
    const bool made = lock.pid == process.pid();
    if (!made && (!is_finisher || has_maker(snapshot, lock, file.id()))) continue;
    const auto operation =
        static_cast<std::uint64_t>((lock.exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
    const std::string what = "fd " + std::to_string(descriptor.fd()) + " (" + file.target() + ")";
    batch.add(SYS_flock, {static_cast<std::uint64_t>(descriptor.fd()), operation},
              [what, lock](std::int64_t result) {
                if (result < 0) throw_held(what, lock, static_cast<int>(-result));
              });
  }
}

}  // namespace

Objection check_locks(const Checking& checking, const OpenFile& file) {
  const bool new_inode = file.identity().links() == 0 || checking.options.has_private_view();
  if (new_inode) return {};
  for (const auto& lock : locks_of(file)) {
    if (const auto holder = find_holder(lock)) {
      return {*holder + ", and so did the tree", "end that process first"};
    }
  }
  return {};
}

void take_locks(int fd, const OpenFile& file) {
  for (const auto& lock : locks_of(file)) {
    if (lock.kind != LockLine::Kind::Description) continue;
    const struct flock range = range_of(lock);
    if (::fcntl(fd, F_OFD_SETLK, &range) != 0) throw_held("lock", lock, errno);
  }
}

void add_process_locks(const model::Snapshot& snapshot, const model::Process& process,
                       const std::function<bool(const model::FileDescriptor&)>& is_finisher,
                       CallBatch& batch) {
  for (const auto& descriptor : process.descriptors()) {
    const OpenFile* const file = find_description(snapshot, descriptor.description());
    if (file == nullptr) continue;
    add_flock(snapshot, process, descriptor, is_finisher(descriptor), *file, batch);
    for (const auto& line : descriptor.locks()) {
      const auto lock = parse_lock_line(line);
      if (!lock || lock->kind != LockLine::Kind::Posix || !may_lock(*file, *lock)) continue;
      const std::uint64_t address = batch.put_struct(range_of(*lock));
      const std::string what =
          "fd " + std::to_string(descriptor.fd()) + " (" + file->target() + ")";
      batch.add(SYS_fcntl, {static_cast<std::uint64_t>(descriptor.fd()), F_SETLK, address},
                [what, lock = *lock](std::int64_t result) {
                  if (result < 0) throw_held(what, lock, static_cast<int>(-result));
                });
    }
  }
}

void add_lease(const OpenFile& file, int fd, CallBatch& batch) {
  for (const auto& lock : locks_of(file)) {
    if (lock.kind != LockLine::Kind::Lease || !lock.settled) continue;
    const std::uint64_t type = lock.exclusive ? F_WRLCK : F_RDLCK;
    const std::string what = "fd " + std::to_string(fd) + " (" + file.target() + "): lease";
    batch.add(SYS_fcntl, {static_cast<std::uint64_t>(fd), F_SETLEASE, type},
              [what, lock](std::int64_t result) {
                if (result < 0) throw_held(what, lock, static_cast<int>(-result));
              });
  }
}

}  // namespace icecore::replay
