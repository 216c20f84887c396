// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace icecore {

/// Owns one mmap()ed region of this process and unmaps it.
class MappedRegion {
 public:
  MappedRegion() = default;
  /// Private anonymous memory of `size` bytes; Populate::Yes faults every page in at once.
  enum class Populate { No, Yes };
  static MappedRegion anonymous(std::size_t size, Populate populate = Populate::No);
  /// `size` bytes of `fd` from offset 0, shared and read-only.
  static MappedRegion read_only_file(int fd, std::size_t size);
  /// `size` bytes of `fd` from offset 0, shared and writable.
  static MappedRegion shared_file(int fd, std::size_t size);

  MappedRegion(MappedRegion&& other) noexcept;
  MappedRegion& operator=(MappedRegion&& other) noexcept;
  ~MappedRegion();

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedRegion(void* data, std::size_t size);
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace icecore
