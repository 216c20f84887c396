// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace icecore::replay {

/// Where a keeper's bank is: images/NAME.bank, one line of numbers. Who forks it holds a lock
/// (flock) on that file meanwhile.
struct BankRecord {
  int pid = 0;                   ///< of the process that is forked
  std::uint64_t start_time = 0;  ///< with the pid it names one process for ever
  std::uint64_t area = 0;        ///< Puppet::area()
  std::uint64_t number = 0;      ///< of the image's snapshot
};

/// Replaces the file. Throws Error.
void write_bank_record(const std::filesystem::path& path, const BankRecord& record);
/// nullopt when there is none, or its process has gone.
[[nodiscard]] std::optional<BankRecord> read_bank_record(const std::filesystem::path& path);

}  // namespace icecore::replay
