// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/unique_fd.h"

namespace icecore::store {

/// The few file calls of the store: each names the file in its error and retries EINTR.
[[nodiscard]] UniqueFd open_for_reading(const std::filesystem::path& path);
/// Fails when `path` exists; mode 0600.
[[nodiscard]] UniqueFd create_file(const std::filesystem::path& path);
void make_private_directory(const std::filesystem::path& path);

void write_at(int fd, const std::filesystem::path& path, std::uint64_t offset,
              std::span<const std::byte> first, std::span<const std::byte> second);
/// Returns how much was there.
std::size_t read_at(int fd, const std::filesystem::path& path, std::uint64_t offset,
                    std::span<std::byte> out);
[[nodiscard]] std::uint64_t file_size(int fd, const std::filesystem::path& path);
void sync_data(int fd, const std::filesystem::path& path);
void sync_file_and_directory(int fd, const std::filesystem::path& path);
void sync_directory(const std::filesystem::path& directory);

}  // namespace icecore::store
