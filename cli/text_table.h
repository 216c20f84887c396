// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace icecore::cli {

/// Rows of cells, printed in aligned columns two spaces apart.
class TextTable {
 public:
  enum class Align { Left, Right };
  struct Column {
    std::string title;
    Align align = Align::Left;
  };
  enum class Heading { Plain, Bold };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// A row of fewer cells than columns ends in a note, which runs over the columns that follow.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print(std::ostream& out, Heading heading) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace icecore::cli
