// SPDX-License-Identifier: Apache-2.0
#include "replay/image/raw_memory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "replay/image/raw_memory_format.h"
#include "store/digest.h"

namespace icecore::replay {
namespace {

constexpr std::uint64_t kPage = store::kPageSize;

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

/// Which file it is, in which life of the machine.
std::string mark_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return {};
  std::ostringstream mark;
  mark << boot_id() << ' ' << status.st_dev << ' ' << status.st_ino << ' ' << status.st_size << ' '
       << status.st_mtim.tv_sec << '.' << status.st_mtim.tv_nsec << ' ' << status.st_ctim.tv_sec
       << '.' << status.st_ctim.tv_nsec;
  return mark.str();
}

bool is_verified(const std::filesystem::path& path, const std::string& mark) {
  std::ifstream file(path);
  std::string known;
  return std::getline(file, known) && !mark.empty() && known == mark;
}

/// What cannot be kept in mind is checked again next time.
void keep_in_mind(const std::filesystem::path& path, const std::string& mark) {
  const std::filesystem::path passing = path.string() + ".new";
  std::ofstream file(passing);
  if (!(file << mark << '\n' << std::flush)) return;
  std::error_code none;
  std::filesystem::rename(passing, path, none);
}

}  // namespace

bool RawMemory::read_table(std::uint64_t number) {
  try {
    ByteReader header(file_.bytes());
    const auto magic = header.take(kRawMemoryMagic.size());
    if (!std::ranges::equal(magic, std::as_bytes(std::span(kRawMemoryMagic)))) return false;
    if (header.read<std::uint64_t>() != number) return false;
    const auto count = header.read<std::uint64_t>();
    ByteReader table(file_.bytes().subspan(kRawMemoryHeader));
    for (std::uint64_t i = 0; i < count; ++i) {
      Run run;
      run.space = table.read<std::uint64_t>();
      run.first = table.read<std::uint64_t>();
      run.count = table.read<std::uint64_t>();
      run.offset = table.read<std::uint64_t>();
      const bool fits =
          run.offset <= file_.size() && run.count <= (file_.size() - run.offset) / kPage;
      if (!fits) return false;
      runs_.push_back(run);
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool RawMemory::is_sound() const {
  const auto kept = file_.bytes().subspan(kRawMemoryDigest, sizeof(store::Digest));
  return std::ranges::equal(kept, store::digest_of(file_.bytes().subspan(kRawMemoryHeader)));
}

std::unique_ptr<RawMemory> RawMemory::open(const std::filesystem::path& file,
                                           const std::filesystem::path& verified,
                                           std::uint64_t number) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return nullptr;
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < kRawMemoryHeader) return nullptr;
  std::unique_ptr<RawMemory> memory(new RawMemory(MappedRegion::read_only_file(fd.get(), size)));
  if (!memory->read_table(number)) return nullptr;
  const std::string mark = mark_of(fd.get());
  if (is_verified(verified, mark)) return memory;
  if (!memory->is_sound()) return nullptr;
  keep_in_mind(verified, mark);
  return memory;
}

std::span<const std::byte> RawMemory::pages(std::uint64_t space, std::uint64_t page) const {
  const auto after =
      std::ranges::upper_bound(runs_, std::pair(space, page), {},
                               [](const Run& run) { return std::pair(run.space, run.first); });
  if (after == runs_.begin()) return {};
  const Run& run = *std::prev(after);
  if (run.space != space || page - run.first >= run.count) return {};
  const std::uint64_t skipped = page - run.first;
  return file_.bytes().subspan(run.offset + skipped * kPage, (run.count - skipped) * kPage);
}

}  // namespace icecore::replay
