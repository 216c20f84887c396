// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace icecore::cli {

/// SHA-256 (FIPS 180-4), by which OCI layouts name their blobs.
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  /// 64 lower-case digits. Once, at the end.
  [[nodiscard]] std::string finish();

 private:
  void take_block(const std::byte* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t total_ = 0;
};

[[nodiscard]] std::string sha256_of(std::string_view text);
/// Of a file's bytes. Throws Error naming it.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace icecore::cli
