// SPDX-License-Identifier: Apache-2.0
#include "cli/error_report.h"

#include "cli/text_lines.h"

namespace icecore::cli {

std::string error_report(const Error& error) {
  std::string text = "error: " + std::string(error.what()) + "\n";
  const auto lines = split_lines(error.why());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += (i == 0 ? "why:   " : "       ") + lines[i] + "\n";
  }
  if (!error.hint().empty()) text += "hint:  " + error.hint() + "\n";
  return text;
}

}  // namespace icecore::cli
