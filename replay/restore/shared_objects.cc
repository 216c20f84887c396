// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/shared_objects.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <string_view>

#include "base/error.h"
#include "base/mapped_region.h"
#include "replay/restore/memory_segments.h"

namespace icecore::replay {
namespace {

std::string memfd_name(const std::string& mapped) {
  constexpr std::string_view kPrefix = "/memfd:";
  return mapped.starts_with(kPrefix) ? mapped.substr(kPrefix.size()) : mapped;
}

/// The size of its pages as MFD_HUGETLB and MAP_HUGETLB take it, 0 for ordinary ones.
unsigned huge_pages(const model::Snapshot& snapshot, const model::SharedObject& object) {
  constexpr unsigned kSizeShift = 26;  // MFD_HUGE_SHIFT, MAP_HUGE_SHIFT
  for (const auto& process : snapshot.processes()) {
    for (const auto& mapping : process.mappings()) {
      if (mapping.shared_space() != object.space() || mapping.page_size() == 0) continue;
      return static_cast<unsigned>(std::countr_zero(mapping.page_size())) << kSizeShift;
    }
  }
  return 0;
}

}  // namespace

SharedObjects::SharedObjects(const snapshot::StoredSnapshot& snapshot, OpenFile open_file)
    : snapshot_(snapshot), open_file_(std::move(open_file)) {
  for (const auto& object : snapshot.model().shared_objects()) {
    if (is_segment(object)) continue;
    objects_[object.space()] =
        with_context("shared memory " + object.name(), [&] { return make(object); });
  }
}

int SharedObjects::descriptor(std::uint64_t space) const {
  const auto found = objects_.find(space);
  if (found == objects_.end()) throw Error("a shared mapping's memory is not in the snapshot");
  return found->second.get();
}

std::optional<int> SharedObjects::segment(std::uint64_t space) const {
  if (space == 0) return std::nullopt;
  const auto& objects = snapshot_.model().shared_objects();
  const auto found = std::ranges::find(objects, space, &model::SharedObject::space);
  if (found == objects.end() || !is_segment(*found)) return std::nullopt;
  return found->sysv_id();
}

UniqueFd SharedObjects::make(const model::SharedObject& object) {
  using Kind = model::SharedObject;
  const unsigned size = huge_pages(snapshot_.model(), object);
  switch (object.kind()) {
    case Kind::ANONYMOUS:
      return make_anonymous(object, 0);
    case Kind::HUGETLB:
      return make_anonymous(object, MAP_HUGETLB | static_cast<int>(size));
    case Kind::MEMFD:
      return make_memfd(object, size == 0 ? 0 : MFD_HUGETLB | size);
    case Kind::TMPFS:
    case Kind::FILE:
      return open_file_(object);
    default:
      throw Refused("memory of this kind cannot be made again yet");
  }
}

/// As "/dev/zero (deleted)", which only a mapping makes; the kernel gives it back by map_files.
UniqueFd SharedObjects::make_anonymous(const model::SharedObject& object, int flags) const {
  const std::uint64_t size = std::max(object.identity().size(), store::kPageSize);
  void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
  if (memory == MAP_FAILED) throw_errno("mmap");
  const auto start = reinterpret_cast<std::uint64_t>(memory);
  std::array<char, 96> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/map_files/%lx-%lx", start, start + size);
  UniqueFd fd(::open(path.data(), O_RDWR | O_CLOEXEC));
  const int error = errno;
  ::munmap(memory, size);
  if (!fd.valid()) throw_errno("opening it", error);
  fill(fd.get(), object);
  return fd;
}

UniqueFd SharedObjects::make_memfd(const model::SharedObject& object, unsigned flags) const {
  UniqueFd fd(
      ::memfd_create(memfd_name(object.name()).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | flags));
  if (!fd.valid()) throw_errno("memfd_create");
  if (::ftruncate(fd.get(), static_cast<off_t>(object.identity().size())) != 0) {
    throw_errno("ftruncate");
  }
  ::fchmod(fd.get(), object.identity().mode() & 07777U);
  fill(fd.get(), object);
  return fd;
}

void SharedObjects::fill(int fd, const model::SharedObject& object) const {
  // There is no write(2) to huge pages.
  const bool huge = huge_pages(snapshot_.model(), object) != 0;
  const MappedRegion mapped =
      huge ? MappedRegion::shared_file(fd, object.identity().size()) : MappedRegion();
  const store::SpaceId space{object.space()};
  const std::uint64_t pages = (object.identity().size() + store::kPageSize - 1) / store::kPageSize;
  std::array<std::byte, store::kPageSize> page{};
  for (const auto& run : snapshot_.reader().present(space, {0, pages})) {
    for (std::uint64_t i = run.first; i < run.first + run.count; ++i) {
      if (snapshot_.reader().read_page(space, i, page) != store::PageVersion::Kind::Stored)
        continue;
      const std::uint64_t count =
          std::min(store::kPageSize, object.identity().size() - i * store::kPageSize);
      if (huge) {
        std::copy_n(page.begin(), count, mapped.data() + i * store::kPageSize);
        continue;
      }
      if (::pwrite(fd, page.data(), count, static_cast<off_t>(i * store::kPageSize)) !=
          static_cast<ssize_t>(count)) {
        throw_errno("filling it");
      }
    }
  }
}

}  // namespace icecore::replay
