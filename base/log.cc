// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace icecore {
namespace {

constexpr std::array<std::string_view, 6> kTopicNames{"tracing", "freezer", "capture",
                                                      "store",   "gdbstub", "recorder"};

unsigned enabled_topics() {
  const char* text = std::getenv("ICECORE_LOG");
  if (text == nullptr) return 0;
  const std::string wanted = "," + std::string(text) + ",";
  unsigned topics = 0;
  for (std::size_t i = 0; i < kTopicNames.size(); ++i) {
    const std::string name = "," + std::string(kTopicNames[i]) + ",";
    if (wanted == ",all," || wanted.find(name) != std::string::npos) topics |= 1U << i;
  }
  return topics;
}

}  // namespace

bool log_enabled(Topic topic) {
  static const unsigned topics = enabled_topics();
  return (topics & (1U << static_cast<unsigned>(topic))) != 0;
}

void log(Topic topic, std::string_view message) {
  if (!log_enabled(topic)) return;
  std::string line(kTopicNames[static_cast<std::size_t>(topic)]);
  line.append(" ").append(message).append("\n");
  // One write, so that lines of several threads do not mix.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace icecore
