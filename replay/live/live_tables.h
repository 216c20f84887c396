// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gdbstub/target/system_tables.h"
#include "replay/live/live_tree.h"

namespace icecore::replay {

/// `info os` over the debugged processes, their threads and open files.
class LiveTables : public gdbstub::SystemTables {
 public:
  explicit LiveTables(const LiveTree& tree) : tree_(tree) {}
  std::vector<gdbstub::SystemTableName> names() override;
  gdbstub::SystemTable table(std::string_view type) override;

 private:
  [[nodiscard]] gdbstub::SystemTable processes() const;
  [[nodiscard]] gdbstub::SystemTable threads() const;
  [[nodiscard]] gdbstub::SystemTable files() const;

  const LiveTree& tree_;
};

}  // namespace icecore::replay
