// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace icecore::store {

/// A snapshot as gc counts them: the recording's id in the index, and the number.
using SnapshotId = std::pair<std::int64_t, std::uint64_t>;

/// Tells gc which snapshots this process has open, so that they can be read to the end although
/// `rm` took them away. A locked file of slots; gone with the process. Where no file can be made (a
/// read-only medium) no gc can run either.
class ReaderLease {
 public:
  explicit ReaderLease(const std::filesystem::path& store);
  ReaderLease(const ReaderLease&) = delete;
  ReaderLease& operator=(const ReaderLease&) = delete;
  ~ReaderLease();

  /// The slot to give back. Take it before looking whether the snapshot is there: gc reads the
  /// leases after `rm` and before it deletes, so one of both sees the other.
  std::size_t take(SnapshotId snapshot);
  void give_back(std::size_t slot) noexcept;

 private:
  std::filesystem::path file_;
  UniqueFd fd_;
  std::vector<bool> taken_;
};

/// What readers have open now. Removes the files of dead ones.
[[nodiscard]] std::set<SnapshotId> leased_snapshots(const std::filesystem::path& store);

}  // namespace icecore::store
