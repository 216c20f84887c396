// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "store/types.h"

namespace icecore::store {

/// How a page's bytes lie in a segment's payload. The numbers are the format's.
enum class PageEncoding : std::uint8_t {
  Raw = 1,       ///< 4096 bytes
  Lz4 = 2,       ///< one LZ4 block
  Zstd = 3,      ///< one zstd frame
  DeltaLz4 = 4,  ///< LZ4 block of (page XOR base page); the base is never a delta itself
};

using Page = std::span<const std::byte, kPageSize>;
using PageBuffer = std::array<std::byte, kPageSize>;

/// A delta longer than this is not worth its second read: the page is stored whole, as a new base.
inline constexpr std::size_t kLongestDelta = 1536;

[[nodiscard]] bool is_zero(Page page);

/// How much work a whole page is worth.
enum class Effort { Fast, Small };

/// One page's bytes for the payload; borrows from the encoder or from the page.
struct EncodedPage {
  PageEncoding encoding = PageEncoding::Raw;
  std::span<const std::byte> bytes;
};

/// Finds the shortest encoding of single pages. Results stay valid until the next call.
class PageEncoder {
 public:
  PageEncoder();
  PageEncoder(PageEncoder&&) noexcept;
  PageEncoder& operator=(PageEncoder&&) noexcept;
  ~PageEncoder();

  EncodedPage encode_whole(Page page, Effort effort);
  /// The delta against `base`, or the whole page when that is as short; nullopt when the delta is
  /// too long.
  std::optional<EncodedPage> encode_delta(Page page, Page base);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Decodes a whole page; false when the bytes are damaged or are a delta.
[[nodiscard]] bool decode_page(PageEncoding encoding, std::span<const std::byte> bytes,
                               std::span<std::byte, kPageSize> out);
/// Turns the base page into the page; false when the bytes are damaged.
[[nodiscard]] bool apply_delta(std::span<const std::byte> bytes,
                               std::span<std::byte, kPageSize> base_to_page);

}  // namespace icecore::store
