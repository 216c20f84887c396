// SPDX-License-Identifier: Apache-2.0
#include "store/segment_stream.h"

namespace icecore::store {

SegmentStream::SegmentStream(PackSink& sink, PendingRows& rows, std::uint64_t& budget)
    : sink_(sink), rows_(rows), budget_(budget) {}

PageRef SegmentStream::add(const EncodedPage& encoded, Page page, PageRef base) {
  if (!builder_) builder_.emplace(sink_.next_object());
  const PageRef ref{builder_->id(), builder_->add(encoded, page_hash_of(page), base)};
  if (builder_->is_full()) flush();
  return ref;
}

PageRef SegmentStream::add_whole(PageEncoder& encoder, Page page) {
  const Effort effort = budget_ == 0 ? Effort::Fast : Effort::Small;
  if (budget_ > 0) --budget_;
  return add(encoder.encode_whole(page, effort), page, {});
}

PageRef SegmentStream::add_changed(PageEncoder& encoder, Page page, PageRef base, Page base_page) {
  const auto encoded = encoder.encode_delta(page, base_page);
  return encoded ? add(*encoded, page, base) : add_whole(encoder, page);
}

void SegmentStream::flush() {
  if (!builder_) return;
  PendingSegment segment;
  segment.id = builder_->id();
  segment.pages = builder_->pages();
  segment.bases.assign(builder_->bases().begin(), builder_->bases().end());
  segment.locator = builder_->append_to(sink_.pack());
  written_.push_back(segment.id);
  rows_.segments.push_back(std::move(segment));
  builder_.reset();
}

}  // namespace icecore::store
