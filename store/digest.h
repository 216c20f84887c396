// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace icecore::store {

/// BLAKE3-256.
using Digest = std::array<std::byte, 32>;
/// The first half of a page's BLAKE3, as segment directories keep it.
using PageHash = std::array<std::byte, 16>;

[[nodiscard]] Digest digest_of(std::span<const std::byte> bytes);
[[nodiscard]] PageHash page_hash_of(std::span<const std::byte> page);

/// BLAKE3 of bytes that arrive in pieces.
class Hasher {
 public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();
  void update(std::span<const std::byte> bytes);
  [[nodiscard]] Digest finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace icecore::store
