// SPDX-License-Identifier: Apache-2.0
// Writes snapshots into the store of its first argument and logs every write, truncation, sync and
// removal of a file below it to the file of its second argument. The calls are caught here: what a
// program defines itself comes before libc, for SQLite's library too.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>

#include "base/error.h"
#include "store/recording_writer.h"
#include "store/store.h"
#include "tests/power_cut/write_log_format.h"
#include "tests/store/numbered_memory.h"

namespace {

using icecore::test::WriteLogRecord;
using Kind = WriteLogRecord::Kind;

int g_log = -1;      // -1: nothing is logged yet
std::string g_root;  // with a slash at its end

void append(const void* bytes, std::size_t size) {
  if (::syscall(SYS_write, g_log, bytes, size) != static_cast<long>(size)) ::_exit(3);
}

void log_call(Kind kind, const std::string& path, std::uint64_t offset, const void* bytes = nullptr,
              std::size_t size = 0) {
  if (g_log < 0 || (!path.empty() && !path.starts_with(g_root))) return;
  const std::string below = path.empty() ? path : path.substr(g_root.size());
  const WriteLogRecord record{kind, static_cast<std::uint32_t>(below.size()), offset, size};
  append(&record, sizeof record);
  append(below.data(), below.size());
  append(bytes, size);
}

std::string path_of(int fd) {
  char path[PATH_MAX];
  const ssize_t size =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return size < 0 ? "?" : std::string(path, static_cast<std::size_t>(size));
}

int sync(int fd, long call) {
  struct stat status {};
  ::fstat(fd, &status);
  const bool is_directory = S_ISDIR(status.st_mode);
  const std::string path = path_of(fd) + (is_directory ? "/" : "");
  log_call(is_directory ? Kind::SyncDirectory : Kind::Sync, path, 0);
  return static_cast<int>(::syscall(call, fd));
}

}  // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  log_call(Kind::Write, path_of(fd), static_cast<std::uint64_t>(offset), bytes, size);
  return ::syscall(SYS_pwrite64, fd, bytes, size, offset);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return pwrite64(fd, bytes, size, offset);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  ssize_t done = 0;
  for (int i = 0; i < count; ++i) {
    done += pwrite64(fd, parts[i].iov_base, parts[i].iov_len, offset + done);
  }
  return done;
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
  return pwritev(fd, parts, count, offset);
}
// No file of a store is written without an offset: if that changes, the test must learn of it.
ssize_t write(int fd, const void* bytes, size_t size) {
  if (g_log >= 0 && path_of(fd).starts_with(g_root)) ::_exit(4);
  return ::syscall(SYS_write, fd, bytes, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  log_call(Kind::Truncate, path_of(fd), static_cast<std::uint64_t>(size));
  return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}
int ftruncate(int fd, off_t size) noexcept { return ftruncate64(fd, size); }
int fdatasync(int fd) { return sync(fd, SYS_fdatasync); }
int fsync(int fd) { return sync(fd, SYS_fsync); }
int unlink(const char* path) noexcept {
  log_call(Kind::Unlink, path, 0);
  return static_cast<int>(::syscall(SYS_unlink, path));
}
// Nor is any renamed while snapshots are written.
int rename(const char*, const char*) noexcept { ::_exit(5); }

}  // extern "C"

namespace icecore::store {
namespace {

void write_snapshots(const std::filesystem::path& directory) {
  Store store = Store::open_or_create(directory);
  RecordingWriter writer = store.write("cut");
  const SpaceId space = writer.new_space();
  for (int i = 0; i < 14; ++i) {
    SnapshotWriter snapshot = writer.begin();
    const auto bytes = test::numbered_memory(snapshot.number());
    const PageRun run{PageRun::Kind::Data, 0, test::kNumberedPages, bytes.data(), {}};
    snapshot.write_pages(space, std::span(&run, 1));
    SnapshotSummary summary;
    summary.dirty_bytes = static_cast<std::uint64_t>(space);
    log_call(Kind::Commit, "", snapshot.commit(summary, {}, {}));
    if (i != 6 && i != 9) continue;
    // A reader tells what is gone from the time before: afterwards it may be there or not.
    const std::uint64_t gone = i == 6 ? 2 : 5;
    log_call(Kind::Remove, "", gone);
    const SnapshotKey key{"cut", gone};
    store.remove(std::span(&key, 1));
    store.collect_garbage();
  }
}

}  // namespace
}  // namespace icecore::store

int main(int count, char** words) {
  if (count != 3) return 2;
  g_log = ::open(words[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_root = std::filesystem::canonical(words[1]).string() + "/";
  try {
    icecore::store::write_snapshots(g_root);
  } catch (const icecore::Error& error) {
    std::fprintf(stderr, "the writer failed: %s\n", error.what());
    return 1;
  }
  ::_exit(0);  // as it dies when the power goes: nothing is closed
}
