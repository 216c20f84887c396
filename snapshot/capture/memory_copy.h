// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/capture/memory_buffer.h"
#include "snapshot/capture/memory_ranges.h"

namespace icecore::snapshot {

/// Consecutive pages and where their bytes were copied to.
struct CopiedRun {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  const std::byte* data = nullptr;
};

/// Copies pages of one process into a PageBuffer, with process_vm_readv where the pages are
/// readable and through /proc/PID/mem where they are not (PROT_NONE with content, guard-free).
class PageCopier {
 public:
  PageCopier(int pid, PageBuffer& buffer) : pid_(pid), buffer_(buffer) {}

  enum class Protection { Readable, Unreadable };
  /// Appends the pages to `copies`, ascending; what can not be read at all goes to `failed`.
  void copy(const PageSet& pages, Protection protection, std::vector<CopiedRun>& copies,
            PageSet& failed);

 private:
  void copy_batch(std::uint64_t skip, const PageSet& batch, std::span<std::byte> bytes,
                  Protection protection, PageSet& failed);
  bool read_forced(std::uint64_t page, std::byte* out);

  int pid_;
  PageBuffer& buffer_;
  UniqueFd memory_;
};

}  // namespace icecore::snapshot
