// SPDX-License-Identifier: Apache-2.0
#include "store/pack_format.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "store/pack_reader.h"
#include "store/pack_writer.h"
#include "tests/store/temporary_store.h"

namespace icecore::store::test {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// A pack of three records as bytes, to be damaged.
class PackBytes {
 public:
  PackBytes() {
    std::filesystem::create_directory(directory_.path() / "packs");
    PackWriter writer(directory_.path(), StoreUuid{}, 1);
    for (const char* text : {"first", "the second record", "third"}) {
      RecordHeader header;
      header.type = RecordType::Snapshot;
      offsets_.push_back(writer.append(header, bytes_of(text)).offset);
    }
    std::ifstream file(pack_path(directory_.path(), 1), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    bytes_.assign(bytes_of(text).begin(), bytes_of(text).end());
  }

  void set_byte(std::size_t at) { bytes_[at] ^= std::byte{0x40}; }
  void truncate(std::size_t size) { bytes_.resize(size); }
  [[nodiscard]] std::size_t offset(std::size_t record) const { return offsets_[record]; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  /// The bodies that a scan finds, and "!" where it reports damage.
  [[nodiscard]] std::vector<std::string> scan() const {
    std::vector<std::string> found;
    scan_pack(
        bytes_, 1,
        [&](const PackRecord& record) {
          found.emplace_back(reinterpret_cast<const char*>(record.body.data()), record.body.size());
        },
        [&](std::uint64_t, const std::string&) { found.emplace_back("!"); });
    return found;
  }

 private:
  TemporaryDirectory directory_;
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> offsets_;
};

using Found = std::vector<std::string>;

TEST(PackFormat, HasHeadersOfTheDocumentedBytes) {
  RecordHeader header;
  header.type = RecordType::PageList;
  header.body_size = 5;
  header.object = 0x01020304;
  header.digest = digest_of(bytes_of("hello"));
  const auto bytes = encode(header);
  const unsigned char expected[24] = {'I', 'C', 'R', 'D', 2, 1, 0, 0, 5, 0, 0, 0,
                                      0,   0,   0,   0,   4, 3, 2, 1, 0, 0, 0, 0};
  EXPECT_EQ(std::memcmp(bytes.data(), expected, sizeof expected), 0);
  EXPECT_EQ(std::memcmp(bytes.data() + 32, header.digest.data(), 32), 0);
  // BLAKE3 of "hello" begins ea 8f 16 3d: the reference implementation's.
  EXPECT_EQ(header.digest[0], std::byte{0xea});
  EXPECT_EQ(header.digest[3], std::byte{0x3d});
  EXPECT_EQ(record_size(5), 72U);
}

TEST(PackFormat, ReadsBackItsHeaders) {
  const auto pack = decode_pack_header(encode(PackHeader{1, 77, StoreUuid{std::byte{9}}}));
  ASSERT_TRUE(pack);
  EXPECT_EQ(pack->pack, 77U);
  EXPECT_EQ(pack->store[0], std::byte{9});
  RecordHeader header;
  header.body_size = kMaxBodySize + 1;
  EXPECT_FALSE(decode_record_header(encode(header)));
}

TEST(PackFormat, NoticesEveryDamagedBitOfAHeader) {
  const auto sound = encode(RecordHeader{});
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    auto damaged = sound;
    damaged[bit / 8] ^= std::byte{1} << bit % 8;
    EXPECT_FALSE(decode_record_header(damaged)) << bit;
  }
}

TEST(PackScan, FindsAllRecordsOfASoundPack) {
  EXPECT_EQ(PackBytes().scan(), (Found{"first", "the second record", "third"}));
}

TEST(PackScan, SkipsARecordWhoseBodyIsDamaged) {
  PackBytes pack;
  pack.set_byte(pack.offset(1) + kRecordHeaderSize + 3);
  EXPECT_EQ(pack.scan(), (Found{"first", "!", "third"}));
}

TEST(PackScan, FindsTheNextRecordBehindADamagedHeader) {
  PackBytes pack;
  pack.set_byte(pack.offset(1) + 8);  // its length
  EXPECT_EQ(pack.scan(), (Found{"first", "!", "third"}));
}

TEST(PackScan, ReportsARecordThatIsCutShort) {
  PackBytes pack;
  pack.truncate(pack.offset(2) + kRecordHeaderSize + 1);
  EXPECT_EQ(pack.scan(), (Found{"first", "the second record", "!"}));
}

TEST(PackScan, SurvivesEveryTruncation) {
  PackBytes pack;
  for (std::size_t size = pack.size(); size > 5; size -= 5) {
    pack.truncate(size);
    EXPECT_LE(pack.scan().size(), 4U);
  }
}

}  // namespace
}  // namespace icecore::store::test
