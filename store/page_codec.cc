// SPDX-License-Identifier: Apache-2.0
#include "store/page_codec.h"

#include <lz4.h>
#include <zstd.h>

#include <cstring>

namespace icecore::store {
namespace {

// Below this a whole encoding cannot win enough to be worth trying: 1.4 us against 10 bytes.
constexpr std::size_t kShortDelta = 256;
// zstd is tried only where LZ4 leaves something to win; it costs 8 us, LZ4 0.8.
constexpr std::size_t kShortLz4 = 1024;

// What an encoding must save, over the next quicker one, to be worth its decoding: whoever brings a
// GiB back to life waits for 0.8 us a page with LZ4, for 4 us with zstd, and for nothing when it is
// raw, since it goes from the pack into the process as it is.
constexpr std::size_t kWorthDecoding = kPageSize / 8;

constexpr int kZstdLevel = 1;  // level 3 gains 2 % at twice the time

char* chars(std::byte* bytes) { return reinterpret_cast<char*>(bytes); }
const char* chars(const std::byte* bytes) { return reinterpret_cast<const char*>(bytes); }

void exclusive_or(std::span<std::byte, kPageSize> into, const std::byte* other) {
  for (std::size_t i = 0; i < kPageSize; i += sizeof(std::uint64_t)) {
    std::uint64_t left;
    std::uint64_t right;
    std::memcpy(&left, into.data() + i, sizeof left);
    std::memcpy(&right, other + i, sizeof right);
    left ^= right;
    std::memcpy(into.data() + i, &left, sizeof left);
  }
}

bool decode_lz4(std::span<const std::byte> bytes, std::span<std::byte, kPageSize> out) {
  const int size = LZ4_decompress_safe(chars(bytes.data()), chars(out.data()),
                                       static_cast<int>(bytes.size()), static_cast<int>(kPageSize));
  return size == static_cast<int>(kPageSize);
}

bool decode_zstd(std::span<const std::byte> bytes, std::span<std::byte, kPageSize> out) {
  struct FreeContext {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  // A context costs more to make than a page to decode.
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  const std::size_t size =
      ZSTD_decompressDCtx(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  return ZSTD_isError(size) == 0 && size == kPageSize;
}

}  // namespace

bool is_zero(Page page) {
  std::uint64_t first;
  std::memcpy(&first, page.data(), sizeof first);
  if (first != 0) return false;
  return std::memcmp(page.data(), page.data() + sizeof first, kPageSize - sizeof first) == 0;
}

struct PageEncoder::State {
  struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, FreeContext> zstd{ZSTD_createCCtx()};
  PageBuffer difference{};
  // What does not fit is stored raw.
  std::array<std::byte, kPageSize - 1> delta{};
  std::array<std::byte, kPageSize - kWorthDecoding> lz4{};
  std::array<std::byte, kPageSize - kWorthDecoding> zstd_out{};
  // operator new aligns it as LZ4 wants.
  std::unique_ptr<char[]> lz4_state{new char[static_cast<std::size_t>(LZ4_sizeofState())]};
};

PageEncoder::PageEncoder() : state_(std::make_unique<State>()) {}
PageEncoder::PageEncoder(PageEncoder&&) noexcept = default;
PageEncoder& PageEncoder::operator=(PageEncoder&&) noexcept = default;
PageEncoder::~PageEncoder() = default;

EncodedPage PageEncoder::encode_whole(Page page, Effort effort) {
  EncodedPage best{PageEncoding::Raw, page};
  const int lz4 = LZ4_compress_fast_extState(state_->lz4_state.get(), chars(page.data()),
                                             chars(state_->lz4.data()), static_cast<int>(kPageSize),
                                             static_cast<int>(state_->lz4.size()), 1);
  if (lz4 > 0)
    best = {PageEncoding::Lz4, std::span(state_->lz4).first(static_cast<std::size_t>(lz4))};
  if (effort == Effort::Fast || best.bytes.size() <= kShortLz4) return best;
  const std::size_t zstd =
      ZSTD_compressCCtx(state_->zstd.get(), state_->zstd_out.data(),
                        best.bytes.size() - kWorthDecoding, page.data(), kPageSize, kZstdLevel);
  if (ZSTD_isError(zstd) == 0) best = {PageEncoding::Zstd, std::span(state_->zstd_out).first(zstd)};
  return best;
}

std::optional<EncodedPage> PageEncoder::encode_delta(Page page, Page base) {
  std::memcpy(state_->difference.data(), page.data(), kPageSize);
  exclusive_or(state_->difference, base.data());
  const int size = LZ4_compress_fast_extState(
      state_->lz4_state.get(), chars(state_->difference.data()), chars(state_->delta.data()),
      static_cast<int>(kPageSize), static_cast<int>(kLongestDelta), 1);
  if (size <= 0) return std::nullopt;
  const EncodedPage delta{PageEncoding::DeltaLz4,
                          std::span(state_->delta).first(static_cast<std::size_t>(size))};
  if (delta.bytes.size() <= kShortDelta) return delta;
  const EncodedPage whole = encode_whole(page, Effort::Fast);
  return whole.bytes.size() <= delta.bytes.size() ? whole : delta;
}

bool decode_page(PageEncoding encoding, std::span<const std::byte> bytes,
                 std::span<std::byte, kPageSize> out) {
  switch (encoding) {
    case PageEncoding::Raw:
      if (bytes.size() != kPageSize) return false;
      std::memcpy(out.data(), bytes.data(), kPageSize);
      return true;
    case PageEncoding::Lz4:
      return decode_lz4(bytes, out);
    case PageEncoding::Zstd:
      return decode_zstd(bytes, out);
    case PageEncoding::DeltaLz4:
      return false;
  }
  return false;
}

bool apply_delta(std::span<const std::byte> bytes, std::span<std::byte, kPageSize> base_to_page) {
  PageBuffer difference;
  if (!decode_lz4(bytes, difference)) return false;
  exclusive_or(base_to_page, difference.data());
  return true;
}

}  // namespace icecore::store
