// SPDX-License-Identifier: Apache-2.0
#include "cli/image_text.h"

#include "cli/quantities.h"

namespace icecore::cli {

std::string ports_text(const replay::Image& image) {
  std::string text;
  for (const int port : image.ports) text += (text.empty() ? "" : " ") + std::to_string(port);
  return text;
}

std::string command_text(const replay::Image& image) {
  std::string text;
  for (const auto& word : image.command) text += (text.empty() ? "" : " ") + word;
  return text;
}

nlohmann::ordered_json image_json(const replay::Image& image) {
  return {{"name", image.name},
          {"snapshot", image.snapshot()},
          {"command", image.command},
          {"ready", image.ready},
          {"built", utc_time_text(image.built_ns)},
          {"start_us", image.start_us},
          {"ports", image.ports},
          {"advice", image.advice}};
}

}  // namespace icecore::cli
