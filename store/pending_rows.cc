// SPDX-License-Identifier: Apache-2.0
#include "store/pending_rows.h"

namespace icecore::store {

void insert_segment(SqliteConnection& index, const PendingSegment& segment) {
  index.run(
      "INSERT INTO segments (id, pages, pack_id, pack_offset, pack_length) VALUES "
      "(?1, ?2, ?3, ?4, ?5)",
      segment.id, segment.pages, segment.locator.pack, segment.locator.offset,
      segment.locator.size);
  for (const std::uint32_t base : segment.bases) {
    index.run("INSERT INTO segment_bases (segment_id, base_id) VALUES (?1, ?2)", segment.id, base);
  }
}

void insert_page_list(SqliteConnection& index, std::int64_t recording, const PendingList& list) {
  index.run(
      "INSERT INTO page_lists (id, recording_id, space, sequence, number, pack_id, pack_offset, "
      "pack_length) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      list.id, recording, list.key.space, list.key.sequence, list.key.number, list.locator.pack,
      list.locator.offset, list.locator.size);
}

void insert_file(SqliteConnection& index, const PendingFile& file) {
  index.run(
      "INSERT OR IGNORE INTO files (content, size, pack_id, pack_offset, pack_length) VALUES "
      "(?1, ?2, ?3, ?4, ?5)",
      file.id.hash, file.size, file.locator.pack, file.locator.offset, file.locator.size);
  if (index.changes() == 0) return;  // another recording's writer was faster
  for (const std::uint32_t segment : file.segments) {
    index.run("INSERT INTO file_segments (content, segment_id) VALUES (?1, ?2)", file.id.hash,
              segment);
  }
}

void insert_rows(SqliteConnection& index, std::int64_t recording, std::uint64_t number,
                 const PendingRows& rows) {
  for (const auto& segment : rows.segments) insert_segment(index, segment);
  for (const auto& list : rows.lists) insert_page_list(index, recording, list);
  for (const auto& [id, file] : rows.files) insert_file(index, file);
  for (const auto& [identity, id] : rows.identities) {
    index.run(
        "INSERT OR REPLACE INTO file_identities (device, inode, size, mtime_ns, ctime_ns, "
        "content) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        identity.device, identity.inode, identity.size, identity.mtime_ns, identity.ctime_ns,
        id.hash);
  }
  for (const FileId& id : rows.needed) {
    index.run("INSERT INTO snapshot_files (recording_id, number, content) VALUES (?1, ?2, ?3)",
              recording, number, id.hash);
  }
}

void insert_snapshot(SqliteConnection& index, std::int64_t recording,
                     const SnapshotSummary& summary, const Locator& record) {
  index.run(
      "INSERT INTO snapshots (recording_id, number, parent, tag, cause, realtime_ns, "
      "monotonic_ns, complete, processes, threads, dirty_bytes, stored_bytes, freeze_us, "
      "dump_us, resume_us, pause_us, pack_id, pack_offset, pack_length) VALUES "
      "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)",
      recording, summary.key.number, summary.parent, summary.tag, summary.cause,
      summary.realtime_ns, summary.monotonic_ns, summary.complete, summary.processes,
      summary.threads, summary.dirty_bytes, summary.stored_bytes, summary.freeze_us,
      summary.dump_us, summary.resume_us, summary.pause_us, record.pack, record.offset,
      record.size);
}

void insert_process(SqliteConnection& index, std::int64_t recording, std::uint64_t number,
                    const ProcessRow& process) {
  index.run(
      "INSERT OR REPLACE INTO processes (recording_id, number, pid, parent_pid, comm, executable, "
      "threads, mappings, descriptors) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      recording, number, process.pid, process.parent_pid, process.comm, process.executable,
      process.threads, process.mappings, process.descriptors);
}

}  // namespace icecore::store
