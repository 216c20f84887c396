// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/process_memory.h"

#include <sys/uio.h>

namespace icecore::snapshot {

bool read_process(int pid, std::uint64_t address, std::span<std::byte> out) {
  iovec local{out.data(), out.size()};
  iovec remote{reinterpret_cast<void*>(address), out.size()};
  return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(out.size());
}

bool write_process(int pid, std::uint64_t address, std::span<const std::byte> bytes) {
  iovec local{const_cast<std::byte*>(bytes.data()), bytes.size()};
  iovec remote{reinterpret_cast<void*>(address), bytes.size()};
  return ::process_vm_writev(pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes.size());
}

}  // namespace icecore::snapshot
