// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/file_identity.h"

#include <fcntl.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace icecore::snapshot {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void fill_identity(const struct ::stat& status, model::FileIdentity& identity) {
  identity.set_device(status.st_dev);
  identity.set_inode(status.st_ino);
  identity.set_size(static_cast<std::uint64_t>(status.st_size));
  identity.set_mtime_ns(nanoseconds(status.st_mtim));
  identity.set_ctime_ns(nanoseconds(status.st_ctim));
  identity.set_mode(status.st_mode);
  identity.set_uid(status.st_uid);
  identity.set_gid(status.st_gid);
  identity.set_rdev(status.st_rdev);
  identity.set_links(static_cast<std::uint32_t>(status.st_nlink));
}

void fill_handle(int directory, const char* path, model::FileIdentity& identity) {
  alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> room{};
  auto* const handle = reinterpret_cast<file_handle*>(room.data());
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (::name_to_handle_at(directory, path, handle, &mount, AT_SYMLINK_FOLLOW) != 0) return;
  const std::int32_t type = handle->handle_type;
  std::string bytes(sizeof type, '\0');
  std::memcpy(bytes.data(), &type, sizeof type);
  bytes.append(reinterpret_cast<const char*>(handle->f_handle), handle->handle_bytes);
  identity.set_handle(std::move(bytes));
}

}  // namespace icecore::snapshot
