// SPDX-License-Identifier: Apache-2.0
#include "store/file_writer.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "store/file_manifest.h"
#include "store/file_system.h"
#include "store/segment_stream.h"

namespace icecore::store {
namespace {

constexpr std::size_t kReadSize = 1U << 20U;
// Coarser than any timestamp granularity in use.
constexpr std::int64_t kSettledNs = 2 * kNsPerSecond;

const std::filesystem::path kFileName = "a file to keep";

std::int64_t to_ns(const timespec& time) { return time.tv_sec * kNsPerSecond + time.tv_nsec; }

}  // namespace

FileId hash_file(int fd) {
  std::vector<std::byte> buffer(kReadSize);
  Hasher hasher;
  for (std::uint64_t offset = 0;;) {
    const std::size_t got = read_at(fd, kFileName, offset, buffer);
    hasher.update(std::span(buffer).first(got));
    offset += got;
    if (got < buffer.size()) return {hasher.finish()};
  }
}

PendingFile store_file(int fd, PackSink& sink, PageEncoder& encoder, PendingRows& rows,
                       std::uint64_t& budget) {
  std::vector<std::byte> buffer(kReadSize);
  Hasher hasher;
  FileManifest manifest;
  SegmentStream stream(sink, rows, budget);
  for (std::size_t got = buffer.size(); got == buffer.size();) {
    got = read_at(fd, kFileName, manifest.size, buffer);
    hasher.update(std::span(buffer).first(got));
    std::fill(buffer.begin() + static_cast<std::ptrdiff_t>(got), buffer.end(), std::byte{0});
    for (std::size_t at = 0; at < got; at += kPageSize) {
      const Page page(buffer.data() + at, kPageSize);
      VersionRun run{(manifest.size + at) / kPageSize, 1, PageVersion::Kind::Zero, {}};
      if (!is_zero(page)) {
        run.kind = PageVersion::Kind::Stored;
        run.ref = stream.add_whole(encoder, page);
      }
      append_run(manifest.runs, run);
    }
    manifest.size += got;
  }
  stream.flush();
  manifest.id.hash = hasher.finish();
  RecordHeader header;
  header.type = RecordType::FileManifest;
  const Locator locator = sink.pack().append(header, encode(manifest));
  return {manifest.id, manifest.size, stream.written(), locator};
}

bool identity_holds(int fd, const FileIdentity& identity) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return false;
  return static_cast<std::uint64_t>(status.st_size) == identity.size &&
         status.st_ino == identity.inode && to_ns(status.st_mtim) == identity.mtime_ns &&
         to_ns(status.st_ctim) == identity.ctime_ns &&
         realtime_ns() - identity.ctime_ns > kSettledNs;
}

}  // namespace icecore::store
