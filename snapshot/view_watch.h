// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "gdbstub/target/breakpoints.h"
#include "snapshot/view_moment.h"

namespace icecore::snapshot {

/// A snapshot in which watched bytes are other than they were.
struct WatchHit {
  store::SnapshotKey key;
  gdbstub::Breakpoint watchpoint;
};

/// Looks through snapshots for a change of watched bytes. The versions of the pages are compared
/// first: equal versions are equal bytes, and cost no decoding of page or record.
class ViewWatch {
 public:
  ViewWatch(const ViewMoment& moment, std::vector<gdbstub::Breakpoint> watchpoints);

  /// The first of `keys` in which a watched byte differs from the moment's.
  [[nodiscard]] std::optional<WatchHit> first_change(
      const std::vector<store::SnapshotKey>& keys) const;

 private:
  struct Page {
    store::SpaceId space{};
    std::uint64_t page = 0;
    store::PageVersion version;
  };
  struct Watched {
    gdbstub::Breakpoint watchpoint;
    std::vector<std::byte> bytes;  // as they are now; shorter when not all is readable
    std::vector<Page> pages;       // empty when versions cannot tell
  };

  [[nodiscard]] std::vector<Page> pages_of(const model::Process& process,
                                           const gdbstub::Breakpoint& watchpoint) const;
  /// How many of `keys` page versions can be compared with.
  [[nodiscard]] std::size_t comparable(const std::vector<store::SnapshotKey>& keys) const;
  [[nodiscard]] static bool is_surely_equal(const Watched& watched,
                                            const store::SnapshotReader& there);
  [[nodiscard]] static bool differs(const Watched& watched, const StoredSnapshot& there);

  const ViewMoment& moment_;
  std::vector<Watched> watched_;
};

}  // namespace icecore::snapshot
