// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gdbstub/target/thread.h"
#include "snapshot/view_moment.h"
#include "snapshot/view_travel.h"

namespace icecore::snapshot {

/// What a view can say about its place among the snapshots: `monitor when|back-to|diff`. As fine as
/// the snapshots are.
class ViewHistory {
 public:
  ViewHistory(const ViewMoment& moment, ViewTravel& travel) : moment_(moment), travel_(travel) {}

  /// One line that begins with the name of the moment.
  [[nodiscard]] std::string when() const;
  /// "ADDRESS[,LENGTH]": between which two snapshots these bytes became what they are. Arms the
  /// next move to the one before.
  std::string back_to(std::string_view range, gdbstub::ThreadId current);
  /// "N" or "N M": what came, went and was written between N (here, when there is only one) and M.
  [[nodiscard]] std::string diff(std::string_view names) const;

 private:
  [[nodiscard]] std::string bytes_at(const store::SnapshotKey& key,
                                     const gdbstub::Breakpoint& range) const;

  const ViewMoment& moment_;
  ViewTravel& travel_;
};

}  // namespace icecore::snapshot
