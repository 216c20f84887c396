// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/byte_writer.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "replay/image/raw_memory.h"
#include "replay/image/raw_memory_format.h"
#include "store/digest.h"

namespace icecore::replay {
namespace {

constexpr store::PageRange kWholeSpace{0, ~std::uint64_t{0} / store::kPageSize};

struct Run {
  std::uint64_t space = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// Those that are stored, in the order of the file: by space and page.
std::vector<Run> stored_runs(const snapshot::StoredSnapshot& snapshot) {
  std::set<std::uint64_t> spaces;
  for (const auto& process : snapshot.model().processes()) spaces.insert(process.space());
  spaces.erase(0);
  std::vector<Run> runs;
  for (const auto number : spaces) {
    const store::SpaceId space{number};
    for (const auto& range : snapshot.reader().present(space, kWholeSpace)) {
      for (std::uint64_t page = range.first; page < range.first + range.count; ++page) {
        const auto kind = snapshot.reader().version(space, page).kind;
        if (kind != store::PageVersion::Kind::Stored) continue;
        const bool goes_on = !runs.empty() && runs.back().space == number &&
                             runs.back().first + runs.back().count == page;
        if (goes_on) {
          ++runs.back().count;
        } else {
          runs.push_back({number, page, 1});
        }
      }
    }
  }
  return runs;
}

/// Writes in order and hashes what it writes.
class Output {
 public:
  explicit Output(std::string name)
      : name_(std::move(name)),
        fd_(::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (!fd_.valid()) throw_errno("create " + name_);
  }

  void append(std::span<const std::byte> bytes) {
    hasher_.update(bytes);
    write_at(kRawMemoryHeader + size_, bytes);
    size_ += bytes.size();
  }
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t wrote =
          ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (wrote < 0) throw_errno("write " + name_);
      offset += static_cast<std::uint64_t>(wrote);
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
  }
  [[nodiscard]] store::Digest digest() const { return hasher_.finish(); }
  void sync() const {
    if (::fdatasync(fd_.get()) != 0) throw_errno("write " + name_);
  }

 private:
  std::string name_;
  UniqueFd fd_;
  store::Hasher hasher_;
  std::uint64_t size_ = 0;
};

void append_table(const std::vector<Run>& runs, Output& out) {
  constexpr std::uint64_t kEntry = 32;
  const std::uint64_t size =
      (runs.size() * kEntry + store::kPageSize - 1) / store::kPageSize * store::kPageSize;
  std::uint64_t offset = kRawMemoryHeader + size;
  ByteWriter table;
  for (const auto& run : runs) {
    table.write(run.space);
    table.write(run.first);
    table.write(run.count);
    table.write(offset);
    offset += run.count * store::kPageSize;
  }
  auto bytes = table.release();
  bytes.resize(size);
  out.append(bytes);
}

void append_pages(const snapshot::StoredSnapshot& snapshot, const Run& run, Output& out) {
  constexpr std::uint64_t kAtOnce = 256;
  std::vector<std::byte> buffer(kAtOnce * store::kPageSize);
  for (std::uint64_t done = 0; done < run.count;) {
    const std::uint64_t count = std::min(kAtOnce, run.count - done);
    for (std::uint64_t i = 0; i < count; ++i) {
      snapshot.reader().read_page(
          store::SpaceId{run.space}, run.first + done + i,
          std::span(buffer).subspan(i * store::kPageSize, store::kPageSize));
    }
    out.append(std::span(buffer).first(count * store::kPageSize));
    done += count;
  }
}

}  // namespace

void write_raw_memory(const snapshot::StoredSnapshot& snapshot, const std::filesystem::path& file) {
  const auto runs = stored_runs(snapshot);
  const std::string passing = file.string() + ".new";
  Output out(passing);
  append_table(runs, out);
  for (const auto& run : runs) append_pages(snapshot, run, out);
  ByteWriter header;
  header.append(std::as_bytes(std::span(kRawMemoryMagic)));
  header.write(snapshot.key().number);
  header.write(static_cast<std::uint64_t>(runs.size()));
  header.append(out.digest());
  out.write_at(0, header.bytes());
  out.sync();
  if (::rename(passing.c_str(), file.c_str()) != 0) throw_errno("rename " + passing);
}

}  // namespace icecore::replay
