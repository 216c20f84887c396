// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gdbstub/target/system_tables.h"
#include "snapshot/view_moment.h"

namespace icecore::snapshot {

/// `info os` over the processes, threads and open files of the tree.
class ViewTables : public gdbstub::SystemTables {
 public:
  explicit ViewTables(const ViewMoment& moment) : moment_(moment) {}
  std::vector<gdbstub::SystemTableName> names() override;
  gdbstub::SystemTable table(std::string_view type) override;

 private:
  [[nodiscard]] gdbstub::SystemTable processes() const;
  [[nodiscard]] gdbstub::SystemTable threads() const;
  [[nodiscard]] gdbstub::SystemTable files() const;

  const ViewMoment& moment_;
};

}  // namespace icecore::snapshot
