// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace icecore::replay {

/// Has pages of a snapshot as they are, so that they need not be decoded. Used by several threads
/// at once.
class PageSource {
 public:
  PageSource() = default;
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;
  virtual ~PageSource() = default;

  /// The bytes of `page` of `space` and of those behind it that lie together; empty when it does
  /// not have that page: the snapshot is asked then.
  [[nodiscard]] virtual std::span<const std::byte> pages(std::uint64_t space,
                                                         std::uint64_t page) const = 0;
};

}  // namespace icecore::replay
