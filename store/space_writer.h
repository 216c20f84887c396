// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>

#include "store/page_list.h"
#include "store/segment_stream.h"
#include "store/stored_objects.h"
#include "store/types.h"

namespace icecore::store {

/// Finds out what really changed of one space and stores just that.
class SpaceWriter {
 public:
  using MapOf = std::function<PageMap(SpaceId)>;
  /// Borrows all. `prior` is the space before; `map_of` gives the source of CopyOf as it is now.
  SpaceWriter(StoredObjects& objects, PageEncoder& encoder, SegmentStream& stream,
              const PageMap& prior, MapOf map_of);

  void write(const PageRun& run);
  /// What changed, once all runs are written.
  [[nodiscard]] const VersionRuns& changes() const { return changes_; }

 private:
  void write_data(const PageRun& run);
  void write_page(std::uint64_t number, Page page, const PageVersion& before);
  void write_absent(const PageRun& run);
  void write_copy(const PageRun& run);
  bool read_before(PageRef ref);

  StoredObjects& objects_;
  PageEncoder& encoder_;
  SegmentStream& stream_;
  const PageMap& prior_;
  MapOf map_of_;
  VersionRuns changes_;
  PageBuffer before_{};
  PageBuffer base_{};
};

}  // namespace icecore::store
