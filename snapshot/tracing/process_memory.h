// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace icecore::snapshot {

/// Copies memory of a process; all of it or false.
bool read_process(int pid, std::uint64_t address, std::span<std::byte> out);
bool write_process(int pid, std::uint64_t address, std::span<const std::byte> bytes);

}  // namespace icecore::snapshot
