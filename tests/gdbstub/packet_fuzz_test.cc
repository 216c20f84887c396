// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

// The same file that clang's fuzzer is linked with; here its corpus is replayed.
#include "tests/fuzz/packet_fuzz.cc"

namespace icecore::gdbstub {
namespace {

std::vector<std::string> corpus() {
  std::vector<std::string> inputs;
  const auto folder = std::filesystem::path(ICECORE_SOURCE_DIR) / "tests/fuzz/packet_corpus";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ostringstream content;
    content << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    inputs.push_back(content.str());
  }
  return inputs;
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

TEST(PacketFuzz, TheCorpusDoesNoHarm) {
  ASSERT_FALSE(corpus().empty());
  for (const std::string& input : corpus()) run(input);
}

TEST(PacketFuzz, DamagedCorpusDoesNoHarm) {
  std::mt19937 random(1);  // the same damage every time
  for (const std::string& input : corpus()) {
    for (int i = 0; i < 300 && !input.empty(); ++i) {
      std::string damaged = input;
      for (int change = 0; change < 4; ++change) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      run(damaged.substr(0, random() % (damaged.size() + 1)));
    }
  }
}

}  // namespace
}  // namespace icecore::gdbstub
