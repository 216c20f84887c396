// SPDX-License-Identifier: Apache-2.0
#include "store/reader_lease.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "store/file_system.h"
#include "store/recording_lock.h"

namespace icecore::store {
namespace {

constexpr std::size_t kSlotSize = 16;  // recording id, number; zeros: free

std::filesystem::path lease_directory(const std::filesystem::path& store) {
  return store / "locks" / "readers";
}

bool take_lock(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  struct stat status {};
  // gc may have removed the file between its creation and the lock.
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0 && ::fstat(fd, &status) == 0 && status.st_nlink > 0;
}

}  // namespace

ReaderLease::ReaderLease(const std::filesystem::path& store) {
  const auto directory = lease_directory(store);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return;
  for (int tries = 0; tries < 10 && !fd_.valid(); ++tries) {
    std::string name = (directory / (std::to_string(::getpid()) + "-XXXXXX")).string();
    UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd.valid()) return;
    if (!take_lock(fd.get())) continue;
    file_ = name;
    fd_ = std::move(fd);
  }
}

ReaderLease::~ReaderLease() {
  if (fd_.valid()) ::unlink(file_.c_str());
}

std::size_t ReaderLease::take(SnapshotId snapshot) {
  const auto free = std::find(taken_.begin(), taken_.end(), false);
  const auto slot = static_cast<std::size_t>(free - taken_.begin());
  if (free == taken_.end()) taken_.push_back(false);
  taken_[slot] = true;
  if (fd_.valid()) {
    ByteWriter writer;
    writer.write(static_cast<std::uint64_t>(snapshot.first));
    writer.write(snapshot.second);
    write_at(fd_.get(), file_, slot * kSlotSize, writer.bytes(), {});
  }
  return slot;
}

void ReaderLease::give_back(std::size_t slot) noexcept {
  taken_[slot] = false;
  if (!fd_.valid()) return;
  const std::array<std::byte, kSlotSize> zeros{};
  // Failing only makes gc keep the snapshot until this process ends.
  [[maybe_unused]] const auto written =
      ::pwrite(fd_.get(), zeros.data(), zeros.size(), static_cast<off_t>(slot * kSlotSize));
}

std::set<SnapshotId> leased_snapshots(const std::filesystem::path& store) {
  std::set<SnapshotId> leased;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(lease_directory(store), error)) {
    if (!is_locked(entry.path())) {
      ::unlink(entry.path().c_str());
      continue;
    }
    const UniqueFd fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) continue;  // its reader has just ended
    std::vector<std::byte> bytes(file_size(fd.get(), entry.path()));
    bytes.resize(read_at(fd.get(), entry.path(), 0, bytes));
    ByteReader reader(bytes);
    while (reader.remaining() >= kSlotSize) {
      const auto recording = static_cast<std::int64_t>(reader.read<std::uint64_t>());
      const auto number = reader.read<std::uint64_t>();
      if (recording != 0) leased.emplace(recording, number);
    }
  }
  return leased;
}

}  // namespace icecore::store
