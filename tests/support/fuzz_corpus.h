// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace icecore::test {

using FuzzEntry = int(const std::uint8_t* data, std::size_t size);

/// Feeds every file of tests/fuzz/NAME_corpus to the function that clang's fuzzer calls, as it is
/// and damaged `damages` times; the same damage every time.
inline void replay_corpus(const std::string& name, FuzzEntry* entry, int damages) {
  const auto feed = [&](const std::string& input) {
    entry(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  };
  const auto folder =
      std::filesystem::path(ICECORE_SOURCE_DIR) / "tests" / "fuzz" / (name + "_corpus");
  std::mt19937 random(1);
  int inputs = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string sound(std::istreambuf_iterator<char>(stream), {});
    feed(sound);
    ++inputs;
    for (int i = 0; i < damages && !sound.empty(); ++i) {
      std::string damaged = sound;
      for (auto flips = random() % 4 + 1; flips > 0; --flips) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      // Half of them are cut short as well.
      if (random() % 2 == 0) damaged.resize(random() % (damaged.size() + 1));
      feed(damaged);
    }
  }
  EXPECT_GE(inputs, 3) << folder;
}

}  // namespace icecore::test
