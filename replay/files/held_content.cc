// SPDX-License-Identifier: Apache-2.0
#include "replay/files/held_content.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

#include "base/error.h"

namespace icecore::replay {
namespace {

using Page = std::array<std::byte, store::kPageSize>;

std::uint64_t page_count(std::uint64_t size) {
  return (size + store::kPageSize - 1) / store::kPageSize;
}

void write_page(int fd, std::uint64_t number, const Page& page, std::uint64_t size) {
  const std::uint64_t count = std::min(store::kPageSize, size - number * store::kPageSize);
  if (::pwrite(fd, page.data(), count, static_cast<off_t>(number * store::kPageSize)) !=
      static_cast<ssize_t>(count)) {
    throw_errno("writing its content");
  }
}

/// Calls `visit` with the number and both contents of each page that differs, the last one's tail
/// taken as zero. It says whether to go on.
void compare(const snapshot::StoredSnapshot& snapshot, const HeldContent& content, int fd,
             const std::function<bool(std::uint64_t, const Page&)>& visit) {
  Page wanted{};
  Page found{};
  for (std::uint64_t number = 0; number < page_count(content.size); ++number) {
    wanted.fill(std::byte{0});
    found.fill(std::byte{0});
    snapshot.reader().read_page(content.space, number, wanted);
    const std::uint64_t count =
        std::min(store::kPageSize, content.size - number * store::kPageSize);
    std::fill(wanted.begin() + static_cast<std::ptrdiff_t>(count), wanted.end(), std::byte{0});
    const ssize_t got =
        ::pread(fd, found.data(), count, static_cast<off_t>(number * store::kPageSize));
    if (got < 0) throw_errno("reading it");
    const bool equal = std::memcmp(wanted.data(), found.data(), store::kPageSize) == 0;
    if (!equal && !visit(number, wanted)) return;
  }
}

}  // namespace

bool is_same_file(const model::FileIdentity& a, const model::FileIdentity& b) {
  return a.device() == b.device() && a.inode() == b.inode();
}

std::optional<HeldContent> find_content(const model::Snapshot& snapshot,
                                        const model::FileIdentity& identity) {
  for (const auto& kept : snapshot.kept_files()) {
    if (!is_same_file(kept.identity(), identity)) continue;
    return HeldContent{store::SpaceId{kept.space()}, kept.identity().size()};
  }
  for (const auto& object : snapshot.shared_objects()) {
    const bool whole = object.kind() != model::SharedObject::FILE;
    if (!whole || !is_same_file(object.identity(), identity)) continue;
    return HeldContent{store::SpaceId{object.space()}, object.identity().size()};
  }
  return std::nullopt;
}

std::vector<const model::SharedObject*> named_memory(const model::Snapshot& snapshot) {
  std::vector<const model::SharedObject*> objects;
  for (const auto& object : snapshot.shared_objects()) {
    const bool is_below = object.name().starts_with(std::string(kNamedMemory) + "/");
    const bool has_name = object.identity().links() > 0;
    if (object.kind() == model::SharedObject::TMPFS && is_below && has_name) {
      objects.push_back(&object);
    }
  }
  return objects;
}

void write_content(const snapshot::StoredSnapshot& snapshot, const HeldContent& content, int fd) {
  if (::ftruncate(fd, static_cast<off_t>(content.size)) != 0) throw_errno("setting its size");
  Page page{};
  const auto& reader = snapshot.reader();
  for (const auto& run : reader.present(content.space, {0, page_count(content.size)})) {
    for (std::uint64_t i = run.first; i < run.first + run.count; ++i) {
      page.fill(std::byte{0});
      reader.read_page(content.space, i, page);
      write_page(fd, i, page, content.size);
    }
  }
}

bool has_content(const snapshot::StoredSnapshot& snapshot, const HeldContent& content, int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) != content.size) {
    return false;
  }
  bool equal = true;
  compare(snapshot, content, fd, [&](std::uint64_t, const Page&) {
    equal = false;
    return false;
  });
  return equal;
}

void roll_back_content(const snapshot::StoredSnapshot& snapshot, const HeldContent& content,
                       int fd) {
  if (::ftruncate(fd, static_cast<off_t>(content.size)) != 0) throw_errno("setting its size");
  compare(snapshot, content, fd, [&](std::uint64_t number, const Page& page) {
    write_page(fd, number, page, content.size);
    return true;
  });
}

}  // namespace icecore::replay
