// SPDX-License-Identifier: Apache-2.0
// Replays packs, sound and damaged, through the fuzz entry, so that the corpus is a unit test.
#include "tests/fuzz/pack_reader_fuzz.cc"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/store/store_model.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void feed(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

TEST(PackReaderFuzz, TakesTheCorpusAndDamagedPacksWithoutACrash) {
  const std::filesystem::path corpus =
      std::filesystem::path(ICECORE_SOURCE_DIR) / "tests/fuzz/pack_reader_corpus";
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    const std::string sound = content_of(entry.path());
    feed(sound);
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
      std::string damaged = sound;
      for (auto flips = random() % 4 + 1; flips > 0; --flips) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      damaged.resize(damaged.size() - random() % 16);
      feed(damaged);
    }
    ++inputs;
  }
  EXPECT_GE(inputs, 5);
}

}  // namespace
}  // namespace icecore::store::test
