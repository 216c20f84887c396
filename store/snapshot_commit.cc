// SPDX-License-Identifier: Apache-2.0
// The end of a snapshot: pack, fdatasync, index commit, in this order.
#include "base/clock.h"
#include "base/error.h"
#include "store/snapshot_session.h"

namespace icecore::store {

bool SnapshotWriter::Impl::stays(SpaceId space) const { return !kept_ || kept_->contains(space); }

SnapshotRecord SnapshotWriter::Impl::make_record(const SnapshotSummary& summary,
                                                 std::span<const ProcessRow> processes) const {
  SnapshotRecord record;
  record.recording = recording_->recording;
  record.summary = summary;
  record.processes.assign(processes.begin(), processes.end());
  record.files.assign(rows_.needed.begin(), rows_.needed.end());
  for (const auto& [space, old] : recording_->heads) {
    if (!stays(space)) continue;
    const auto changed = new_heads_.find(space);
    const SpaceHead& head = changed == new_heads_.end() ? old : changed->second;
    record.spaces.push_back({static_cast<std::uint64_t>(space), head.parent_space,
                             head.parent_sequence, head.sequence, head.list});
  }
  return record;
}

Locator SnapshotWriter::Impl::append_record(SnapshotSummary& summary,
                                            std::span<const std::byte> model,
                                            std::span<const ProcessRow> processes) {
  summary.key = {recording_->recording.name, number_};
  PackWriter& pack = recording_->sink->pack();
  SnapshotRecord record = make_record(summary, processes);
  const std::uint64_t own_size = record_size(encode(record, model).size());
  summary.stored_bytes = recording_->sink->appended() + own_size;
  record.summary.stored_bytes = summary.stored_bytes;
  RecordHeader header;
  header.type = RecordType::Snapshot;
  return pack.append(header, encode(record, model));
}

void SnapshotWriter::Impl::insert_spaces() {
  SqliteConnection& index = *recording_->index;
  for (const auto& [space, head] : recording_->heads) {
    if (!stays(space) && head.in_index == SpaceHead::InIndex::Yes) {
      index.run("UPDATE spaces SET ended_number=?3 WHERE recording_id=?1 AND space=?2",
                recording_->id, space, number_);
    } else if (stays(space) && head.in_index == SpaceHead::InIndex::No) {
      index.run(
          "INSERT INTO spaces (recording_id, space, parent_space, parent_sequence, "
          "first_number) VALUES (?1, ?2, 0, 0, ?3)",
          recording_->id, space, number_);
    }
  }
}

void SnapshotWriter::Impl::update_index(const SnapshotSummary& summary, const Locator& record,
                                        std::span<const ProcessRow> processes) {
  SqliteConnection& index = *recording_->index;
  Transaction transaction(index);
  insert_rows(index, recording_->id, number_, rows_);
  insert_snapshot(index, recording_->id, summary, record);
  for (const ProcessRow& process : processes) {
    insert_process(index, recording_->id, number_, process);
  }
  insert_spaces();
  recording_->sink->update_index();
  index.run("DELETE FROM file_pins WHERE recording_id=?1", recording_->id);
  index.run(
      "UPDATE recordings SET command=?2, root_pid=?3, next_number=?4, next_space=?5, "
      "changed_ns=?6 WHERE id=?1",
      recording_->id, recording_->recording.command, recording_->recording.root_pid, number_ + 1,
      recording_->recording.next_space, realtime_ns());
  if (index.changes() == 0) {
    throw Error("the recording has been removed from the index");
  }
  transaction.commit();
}

void SnapshotWriter::Impl::advance_heads() {
  auto& heads = recording_->heads;
  for (auto& [space, head] : new_heads_) heads[space] = std::move(head);
  for (auto& [space, head] : heads) head.in_index = SpaceHead::InIndex::Yes;
  std::erase_if(heads, [this](const auto& entry) { return !stays(entry.first); });
  recording_->next_number = number_ + 1;
}

std::uint64_t SnapshotWriter::Impl::commit(SnapshotSummary summary,
                                           std::span<const std::byte> record,
                                           std::span<const ProcessRow> processes) {
  require_open();
  try {
    with_context("snapshot " + recording_->recording.name + "@" + std::to_string(number_), [&] {
      const Locator locator = append_record(summary, record, processes);
      recording_->sink->sync();
      update_index(summary, locator, processes);
    });
  } catch (...) {
    give_up();
    throw;
  }
  state_ = State::Done;
  advance_heads();
  return number_;
}

}  // namespace icecore::store
