// SPDX-License-Identifier: Apache-2.0
#include "snapshot/proc/text.h"

namespace icecore::snapshot::proc {

std::string unescape_octal(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      if (const auto code = to_number<unsigned>(text.substr(i + 1, 3), 8); code && *code < 256) {
        plain.push_back(static_cast<char>(*code));
        i += 3;
        continue;
      }
    }
    plain.push_back(text[i]);
  }
  return plain;
}

}  // namespace icecore::snapshot::proc
