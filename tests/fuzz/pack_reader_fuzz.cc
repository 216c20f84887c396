// SPDX-License-Identifier: Apache-2.0
// Feeds bytes to everything that reads a pack: the scan, and the body of each record as each type.
// tests/store/pack_reader_fuzz_test.cc replays the corpus.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "store/file_manifest.h"
#include "store/pack_reader.h"
#include "store/page_list.h"
#include "store/segment_reader.h"
#include "store/snapshot_record.h"

namespace {

using icecore::store::PackRecord;

/// Runs `read`; damaged bytes must end in an Error and in nothing else.
template <typename Read>
void expect_error_at_most(const Read& read) {
  try {
    read();
  } catch (const icecore::Error&) {
  }
}

void read_segment(const PackRecord& record) {
  const icecore::store::SegmentReader segment(nullptr, record);
  icecore::store::PageBuffer page{};
  for (std::uint32_t i = 0; i < segment.pages(); ++i) {
    const auto entry = segment.entry(i);
    (void)icecore::store::decode_page(entry.encoding, segment.payload(i), page);
    (void)icecore::store::apply_delta(segment.payload(i), page);
    (void)segment.base(entry.base_slot);
  }
}

void read_as_everything(const PackRecord& record) {
  expect_error_at_most([&] { read_segment(record); });
  expect_error_at_most([&] { (void)icecore::store::decode_page_list(1, record.body); });
  expect_error_at_most([&] { (void)icecore::store::decode_file_manifest(record.body); });
  expect_error_at_most([&] { (void)icecore::store::decode_snapshot_record(record.body); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  icecore::store::scan_pack(
      bytes, 1, [](const PackRecord& record) { read_as_everything(record); },
      [](std::uint64_t, const std::string&) {});
  // Without the checksums in the way.
  read_as_everything({{}, {}, bytes});
  return 0;
}
