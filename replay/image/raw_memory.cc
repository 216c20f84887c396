// SPDX-License-Identifier: Apache-2.0
#include "replay/image/raw_memory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "replay/image/raw_memory_format.h"
#include "store/digest.h"
#include "store/file_mark.h"

namespace icecore::replay {
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
          run.offset <= file_.size() && run.count <= (file_.size() - run.offset) / store::kPageSize;
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
  std::unique_ptr<RawMemory> memory(
      new RawMemory(file, MappedRegion::read_only_file(fd.get(), size)));
  if (!memory->read_table(number)) return nullptr;
  if (store::is_marked(verified, fd.get())) return memory;
  if (!memory->is_sound()) return nullptr;
  store::note_mark(verified, fd.get());
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
  return file_.bytes().subspan(run.offset + skipped * store::kPageSize,
                               (run.count - skipped) * store::kPageSize);
}

std::optional<std::uint64_t> RawMemory::offset_of(std::uint64_t space, std::uint64_t page) const {
  const auto bytes = pages(space, page);
  if (bytes.empty()) return std::nullopt;
  return static_cast<std::uint64_t>(bytes.data() - file_.bytes().data());
}

}  // namespace icecore::replay
