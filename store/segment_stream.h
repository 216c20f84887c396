// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "store/pack_sink.h"
#include "store/page_codec.h"
#include "store/pending_rows.h"
#include "store/segment_builder.h"

namespace icecore::store {

/// Puts encoded pages into segments and full segments into the pack.
class SegmentStream {
 public:
  /// Borrows all three. `budget` counts down the whole pages that get the slow, small encoding.
  SegmentStream(PackSink& sink, PendingRows& rows, std::uint64_t& budget);

  PageRef add_whole(PageEncoder& encoder, Page page);
  /// As a delta against `base_page`, which is `base`, when that is short.
  PageRef add_changed(PageEncoder& encoder, Page page, PageRef base, Page base_page);
  /// Writes out what has been collected; call it when no more pages come.
  void flush();
  /// The segments written so far.
  [[nodiscard]] const std::vector<std::uint32_t>& written() const { return written_; }

 private:
  PageRef add(const EncodedPage& encoded, Page page, PageRef base);

  PackSink& sink_;
  PendingRows& rows_;
  std::uint64_t& budget_;
  std::optional<SegmentBuilder> builder_;
  std::vector<std::uint32_t> written_;
};

}  // namespace icecore::store
