// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "gdbstub/target/monitor.h"
#include "snapshot/view_moment.h"
#include "snapshot/view_travel.h"

namespace icecore::snapshot {

/// `monitor help|when|info|list|goto|back-to|diff|tag|process` of a view.
class ViewMonitor : public gdbstub::Monitor {
 public:
  ViewMonitor(const ViewMoment& moment, ViewTravel& travel) : moment_(moment), travel_(travel) {}
  std::string run(std::string_view line, gdbstub::ThreadId current) override;

 private:
  enum class Rows { All, Tagged };
  [[nodiscard]] std::string info() const;
  [[nodiscard]] std::string list(Rows rows) const;
  std::string go_to(std::string_view name, gdbstub::ThreadId current);
  std::string process(std::string_view pid, gdbstub::ThreadId current);

  const ViewMoment& moment_;
  ViewTravel& travel_;
};

}  // namespace icecore::snapshot
