// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_region.h"

#include <sys/mman.h>

#include <string>
#include <utility>

#include "base/error.h"

namespace icecore {
namespace {

void* checked_mmap(std::size_t size, int protection, int flags, int fd) {
  void* data = ::mmap(nullptr, size, protection, flags, fd, 0);
  if (data == MAP_FAILED) throw_errno("mmap of " + std::to_string(size) + " bytes");
  return data;
}

}  // namespace

MappedRegion::MappedRegion(void* data, std::size_t size)
    : data_(static_cast<std::byte*>(data)), size_(size) {}

MappedRegion MappedRegion::anonymous(std::size_t size, Populate populate) {
  const int extra = populate == Populate::Yes ? MAP_POPULATE : 0;
  return {checked_mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | extra, -1),
          size};
}

MappedRegion MappedRegion::read_only_file(int fd, std::size_t size) {
  return {checked_mmap(size, PROT_READ, MAP_SHARED, fd), size};
}

MappedRegion MappedRegion::shared_file(int fd, std::size_t size) {
  return {checked_mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd), size};
}

MappedRegion::MappedRegion(MappedRegion&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedRegion& MappedRegion::operator=(MappedRegion&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedRegion::~MappedRegion() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace icecore
