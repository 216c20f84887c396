// SPDX-License-Identifier: Apache-2.0
#include "cli/text_table.h"

#include <algorithm>

namespace icecore::cli {
namespace {

/// Characters, not bytes: continuation bytes of UTF-8 take no place.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

}  // namespace

std::vector<std::size_t> TextTable::widths() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.title));
  for (const auto& row : rows_) {
    // A row that ends early ends in a note, which runs over the columns that follow.
    const std::size_t cells = row.size() == columns_.size() ? row.size() : row.size() - 1;
    for (std::size_t i = 0; i < cells; ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  return widths;
}

void TextTable::print(std::ostream& out, Heading heading) const {
  const auto columns = widths();
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::size_t cell_width = width_of(cells[i]);
      const std::string gap(columns[i] > cell_width ? columns[i] - cell_width : 0, ' ');
      const bool note = cells.size() < columns_.size() && i + 1 == cells.size();
      const bool right = columns_[i].align == Align::Right && !note;
      text += (i == 0 ? "" : "  ") + (right ? gap + cells[i] : cells[i] + gap);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  const bool bold = heading == Heading::Bold;
  out << (bold ? "\033[1m" : "") << line(titles) << (bold ? "\033[0m" : "") << "\n";
  for (const auto& row : rows_) out << line(row) << "\n";
}

}  // namespace icecore::cli
