// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "store/pack_writer.h"
#include "store/page_list.h"
#include "store/sqlite_connection.h"
#include "store/types.h"

namespace icecore::store {

struct PendingSegment {
  std::uint32_t id = 0;
  std::uint32_t pages = 0;
  std::vector<std::uint32_t> bases;
  Locator locator;
};

struct PendingList {
  std::uint32_t id = 0;
  PageListKey key;
  Locator locator;
};

struct PendingFile {
  FileId id;
  std::uint64_t size = 0;
  std::vector<std::uint32_t> segments;
  Locator locator;
};

/// What a snapshot has put into packs and the index does not know yet.
struct PendingRows {
  std::vector<PendingSegment> segments;
  std::vector<PendingList> lists;
  std::map<FileId, PendingFile> files;
  std::map<FileIdentity, FileId> identities;
  std::set<FileId> needed;  // every file of the snapshot, new or not
};

/// Inside the caller's transaction.
void insert_rows(SqliteConnection& index, std::int64_t recording, std::uint64_t number,
                 const PendingRows& rows);
void insert_segment(SqliteConnection& index, const PendingSegment& segment);
void insert_page_list(SqliteConnection& index, std::int64_t recording, const PendingList& list);
void insert_file(SqliteConnection& index, const PendingFile& file);
void insert_snapshot(SqliteConnection& index, std::int64_t recording,
                     const SnapshotSummary& summary, const Locator& record);
void insert_process(SqliteConnection& index, std::int64_t recording, std::uint64_t number,
                    const ProcessRow& process);

}  // namespace icecore::store
