// SPDX-License-Identifier: Apache-2.0
#include "cli/text_lines.h"

#include <sstream>

namespace icecore::cli {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string wrap(std::string_view text, std::size_t indent, std::size_t width) {
  std::istringstream words{std::string(text)};
  std::string wrapped;
  std::size_t column = indent;
  for (std::string word; words >> word; column += word.size()) {
    if (wrapped.empty()) {
      wrapped = word;
      continue;
    }
    if (column + 1 + word.size() > width) {
      wrapped += "\n" + std::string(indent, ' ') + word;
      column = indent;
    } else {
      wrapped += " " + word;
      ++column;
    }
  }
  return wrapped;
}

}  // namespace icecore::cli
