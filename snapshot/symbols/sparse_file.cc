// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/sparse_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace icecore::symbols {
namespace {

constexpr std::size_t kPageSize = 4096;

bool is_zero(std::span<const std::byte> page) {
  return page.empty() || (page[0] == std::byte{0} &&
                          std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0);
}

}  // namespace

SparseFile::SparseFile(std::string path)
    : path_(std::move(path)), temporary_path_(path_ + ".partial-XXXXXX") {
  fd_.reset(::mkostemp(temporary_path_.data(), O_CLOEXEC));
  if (!fd_.valid()) throw_errno("create " + path_);
}

SparseFile::~SparseFile() {
  if (fd_.valid()) ::unlink(temporary_path_.c_str());
}

void SparseFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t zeros = 0;
    while (zeros < bytes.size() &&
           is_zero(bytes.subspan(zeros, std::min(kPageSize, bytes.size() - zeros)))) {
      zeros = std::min(zeros + kPageSize, bytes.size());
    }
    std::size_t end = zeros;
    while (end < bytes.size() &&
           !is_zero(bytes.subspan(end, std::min(kPageSize, bytes.size() - end)))) {
      end = std::min(end + kPageSize, bytes.size());
    }
    write_all(offset + zeros, bytes.subspan(zeros, end - zeros));
    bytes = bytes.subspan(end);
    offset += end;
  }
}

void SparseFile::write_all(std::uint64_t offset, std::span<const std::byte> bytes) {
  written_bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno("write " + path_);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void SparseFile::commit(std::uint64_t size) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0)
    throw_errno("set the size of " + path_);
  if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) throw_errno("write " + path_);
  fd_.reset();
}

}  // namespace icecore::symbols
