// SPDX-License-Identifier: Apache-2.0
#include "store/page_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace icecore::store::test {
namespace {

PageBuffer noise(std::uint32_t seed, unsigned letters = 256) {
  std::mt19937 random(seed);
  PageBuffer page;
  for (auto& byte : page) byte = static_cast<std::byte>(random() % letters);
  return page;
}

TEST(PageCodec, StoresNoiseRawAndTextShort) {
  PageEncoder encoder;
  const PageBuffer raw = noise(1);
  EXPECT_EQ(encoder.encode_whole(raw, Effort::Small).encoding, PageEncoding::Raw);
  const PageBuffer text = noise(2, 3);
  const EncodedPage encoded = encoder.encode_whole(text, Effort::Small);
  EXPECT_EQ(encoded.encoding, PageEncoding::Zstd);
  EXPECT_LT(encoded.bytes.size(), 1200U);
  PageBuffer back;
  ASSERT_TRUE(decode_page(encoded.encoding, encoded.bytes, back));
  EXPECT_EQ(back, text);
}

TEST(PageCodec, StoresASmallChangeInTensOfBytes) {
  PageEncoder encoder;
  const PageBuffer base = noise(3);
  PageBuffer page = base;
  for (const std::size_t at : {7U, 900U, 901U, 4000U}) page[at] ^= std::byte{0x55};
  const auto encoded = encoder.encode_delta(page, base);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->encoding, PageEncoding::DeltaLz4);
  EXPECT_LT(encoded->bytes.size(), 60U);
  PageBuffer back = base;
  ASSERT_TRUE(apply_delta(encoded->bytes, back));
  EXPECT_EQ(back, page);
}

TEST(PageCodec, GivesUpADeltaThatIsTooLong) {
  PageEncoder encoder;
  EXPECT_FALSE(encoder.encode_delta(noise(4), noise(5)));
}

TEST(PageCodec, PrefersAWholePageThatIsAsShortAsItsDelta) {
  PageEncoder encoder;
  // 1400 bytes of noise became zeros: only the delta has to hold them.
  PageBuffer base = noise(6);
  std::fill(base.begin() + 1400, base.end(), std::byte{1});
  PageBuffer page{};
  page[9] = std::byte{9};
  const auto encoded = encoder.encode_delta(page, base);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->encoding, PageEncoding::Lz4);
  EXPECT_LT(encoded->bytes.size(), 60U);
}

TEST(PageCodec, KnowsAZeroPage) {
  PageBuffer page{};
  EXPECT_TRUE(is_zero(page));
  for (const std::size_t at : {0U, 1U, 8U, 2048U, 4095U}) {
    page[at] = std::byte{1};
    EXPECT_FALSE(is_zero(page)) << at;
    page[at] = std::byte{0};
  }
}

TEST(PageCodec, RefusesDamagedBytesInsteadOfReadingBeyondThem) {
  PageEncoder encoder;
  const PageBuffer text = noise(7, 4);
  PageBuffer out;
  std::mt19937 random(8);
  for (const auto effort : {Effort::Fast, Effort::Small}) {
    const EncodedPage encoded = encoder.encode_whole(text, effort);
    for (int i = 0; i < 500; ++i) {
      std::vector<std::byte> damaged(encoded.bytes.begin(), encoded.bytes.end());
      damaged.resize(random() % (damaged.size() + 1));
      if (!damaged.empty()) damaged[random() % damaged.size()] ^= std::byte{0x10};
      (void)decode_page(encoded.encoding, damaged, out);  // under asan: no overrun
      (void)apply_delta(damaged, out);
    }
    EXPECT_FALSE(decode_page(encoded.encoding, encoded.bytes.first(encoded.bytes.size() / 2), out));
  }
  EXPECT_FALSE(decode_page(PageEncoding::DeltaLz4, {}, out));
  EXPECT_FALSE(decode_page(static_cast<PageEncoding>(9), {}, out));
}

}  // namespace
}  // namespace icecore::store::test
