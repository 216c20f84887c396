// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/file_identity.h"

#include <cstdint>

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

}  // namespace icecore::snapshot
