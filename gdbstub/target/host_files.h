// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace icecore::gdbstub {

/// A file operation failed with this errno, which the client is told.
class HostFileError : public Error {
 public:
  HostFileError(const std::string& what, int errno_value) : Error(what, errno_value) {}
};

struct HostFileStatus {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint32_t mode = 0;  ///< st_mode with the type bits
  std::uint32_t links = 1;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;  ///< seconds
};

/// The files of the machine that the target lived on, so that the client needs no local copy. All
/// throw HostFileError. Descriptors are the target's own numbers, not the kernel's.
class HostFiles {
 public:
  /// Flags as open(2) on Linux has them.
  struct OpenRequest {
    std::int32_t pid = 0;  ///< in whose view of the file system; 0 for the target's own
    std::string_view path;
    int flags = 0;
    int mode = 0;
  };
  virtual ~HostFiles() = default;
  virtual int open(const OpenRequest& request) = 0;
  virtual void close(int descriptor) = 0;
  /// At most `count` bytes; empty at the end.
  virtual std::vector<std::byte> read(int descriptor, std::size_t count, std::uint64_t offset) = 0;
  virtual std::size_t write(int descriptor, std::span<const std::byte> bytes,
                            std::uint64_t offset) = 0;
  virtual HostFileStatus status(int descriptor) = 0;
  virtual std::string read_link(std::int32_t pid, std::string_view path) = 0;
  virtual void unlink(std::int32_t pid, std::string_view path) = 0;
};

}  // namespace icecore::gdbstub
