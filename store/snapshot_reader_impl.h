// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>

#include "store/read_session.h"
#include "store/snapshot_reader.h"

namespace icecore::store {

class SnapshotReader::Impl {
 public:
  Impl(std::shared_ptr<ReadSession> session, std::int64_t recording, SnapshotKey key);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  /// The caller holds the session's mutex.
  [[nodiscard]] const PageMap& map_of(SpaceId space) const;

  std::shared_ptr<ReadSession> session;
  std::int64_t recording;
  SnapshotKey key;
  LoadedRecord record;

 private:
  [[nodiscard]] LoadedRecord load_record() const;

  std::size_t lease_;
  mutable std::map<SpaceId, PageMap> maps_;
};

class StoredFile::Impl {
 public:
  Impl(std::shared_ptr<ReadSession> session, const FileId& id);

  std::shared_ptr<ReadSession> session;
  FileId id;
  std::uint64_t size = 0;
  PageMap pages;
  std::map<std::uint32_t, std::shared_ptr<const SegmentReader>> segments;
};

}  // namespace icecore::store
