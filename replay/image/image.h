// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace icecore::replay {

/// A snapshot that was prepared to be started from, and what is known of it beyond the snapshot.
struct Image {
  std::string name;          ///< also that of its recording
  std::uint64_t number = 0;  ///< of the snapshot in that recording
  std::vector<std::string> command;
  std::string ready;  ///< the condition, as `image build --ready` had it
  std::int64_t built_ns = 0;
  std::uint64_t start_us = 0;  ///< from exec to ready, without the warming
  std::vector<int> ports;      ///< TCP ports that it listens on, ascending
  std::vector<std::string> advice;
  std::string copy_file;  ///< the program's $ICECORE_COPY_FILE; empty in images of older icecores
  /// Whether connections that left the tree are reset in copies (--tcp close).
  enum class Connections { None, Reset } connections = Connections::None;

  [[nodiscard]] std::string snapshot() const { return name + "@" + std::to_string(number); }
};

/// One fact per line, "key value", the version first; docs/images.md has the grammar.
[[nodiscard]] std::string image_text(const Image& image);
/// Throws Error for what is no image of a known version; unknown keys are skipped.
[[nodiscard]] Image parse_image(std::string_view text);

}  // namespace icecore::replay
