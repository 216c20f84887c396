// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace icecore::gdbstub {

/// One table of `info os`: rows of named columns.
struct SystemTable {
  using Row = std::vector<std::pair<std::string, std::string>>;
  std::vector<Row> rows;
};

struct SystemTableName {
  std::string type;
  std::string description;
};

class SystemTables {
 public:
  virtual ~SystemTables() = default;
  virtual std::vector<SystemTableName> names() = 0;
  /// Throws Error for a type that names() does not have.
  virtual SystemTable table(std::string_view type) = 0;
};

}  // namespace icecore::gdbstub
