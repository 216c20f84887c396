// SPDX-License-Identifier: Apache-2.0
#include "store/catalog.h"

#include <algorithm>

#include "base/error.h"
#include "store/near_names.h"

namespace icecore::store {
namespace {

constexpr std::string_view kSnapshotColumns =
    "SELECT recordings.name, number, parent, tag, cause, realtime_ns, monotonic_ns, complete, "
    "processes, threads, dirty_bytes, stored_bytes, freeze_us, dump_us, resume_us, pause_us FROM "
    "snapshots JOIN recordings ON recordings.id=recording_id WHERE recording_id=?1 ";

SnapshotSummary to_summary(const Rows& row) {
  SnapshotSummary summary;
  summary.key = {row.text(0), row.number(1)};
  summary.parent = row.number(2);
  summary.tag = row.text(3);
  summary.cause = row.text(4);
  summary.realtime_ns = row.integer(5);
  summary.monotonic_ns = row.integer(6);
  summary.complete = row.integer(7) != 0;
  summary.processes = row.number32(8);
  summary.threads = row.number32(9);
  summary.dirty_bytes = row.number(10);
  summary.stored_bytes = row.number(11);
  summary.freeze_us = row.number(12);
  summary.dump_us = row.number(13);
  summary.resume_us = row.number(14);
  summary.pause_us = row.number(15);
  return summary;
}

}  // namespace

std::vector<RecordingSummary> Catalog::recordings() const {
  Rows rows = index_.query(
      "SELECT name, command, root_pid, created_ns, count(number), coalesce(min(number), 0), "
      "coalesce(max(number), 0), coalesce(sum(stored_bytes), 0), coalesce((SELECT realtime_ns FROM "
      "snapshots s WHERE s.recording_id=recordings.id ORDER BY number DESC LIMIT 1), 0) FROM "
      "recordings LEFT JOIN snapshots ON snapshots.recording_id=recordings.id GROUP BY "
      "recordings.id "
      "ORDER BY changed_ns DESC, recordings.id DESC");
  std::vector<RecordingSummary> found;
  while (rows.next()) {
    RecordingSummary recording;
    recording.name = rows.text(0);
    recording.command = rows.text(1);
    recording.root_pid = static_cast<std::int32_t>(rows.integer(2));
    recording.created_ns = rows.integer(3);
    recording.snapshots = rows.number(4);
    recording.first = rows.number(5);
    recording.last = rows.number(6);
    recording.stored_bytes = rows.number(7);
    recording.last_ns = rows.integer(8);
    found.push_back(std::move(recording));
  }
  return found;
}

std::vector<SnapshotSummary> Catalog::snapshots(std::string_view recording) const {
  Rows rows =
      index_.query(std::string(kSnapshotColumns) + "ORDER BY number", recording_id(recording));
  std::vector<SnapshotSummary> found;
  while (rows.next()) found.push_back(to_summary(rows));
  return found;
}

std::vector<SkippedSnapshot> Catalog::skips(std::string_view recording) const {
  Rows rows = index_.query(
      "SELECT realtime_ns, reason FROM skips WHERE recording_id=?1 "
      "ORDER BY realtime_ns, rowid",
      recording_id(recording));
  std::vector<SkippedSnapshot> found;
  while (rows.next()) found.push_back({rows.integer(0), rows.text(1)});
  return found;
}

SnapshotSummary Catalog::summary(const SnapshotKey& key) const {
  {
    Rows rows = index_.query(std::string(kSnapshotColumns) + "AND number=?2",
                             recording_id(key.recording), key.number);
    if (rows.next()) return to_summary(rows);
  }
  no_such_snapshot(key);
}

bool Catalog::has_file(const FileId& id) const {
  return index_.query("SELECT 1 FROM files WHERE content=?1", id.hash).next();
}

std::string Catalog::unused_name(std::string_view base) const {
  std::string name(base);
  for (int i = 2; find_recording(name); ++i) name = std::string(base) + "-" + std::to_string(i);
  return name;
}

std::optional<std::int64_t> Catalog::find_recording(std::string_view recording) const {
  Rows rows = index_.query("SELECT id FROM recordings WHERE name=?1", recording);
  if (!rows.next()) return std::nullopt;
  return rows.integer(0);
}

std::int64_t Catalog::recording_id(std::string_view recording) const {
  if (const auto id = find_recording(recording)) return *id;
  std::vector<std::string> names;
  {
    Rows rows = index_.query("SELECT name FROM recordings ORDER BY changed_ns DESC");
    while (rows.next()) names.push_back(rows.text(0));
  }
  Error error("no recording is named \"" + std::string(recording) + "\"");
  if (names.empty()) {
    error.set_why("the store has no recordings");
  } else {
    error.set_why(near_names_text(recording, names));
  }
  throw error.set_hint("icecore list");
}

std::string Catalog::newest_recording() const {
  Rows rows = index_.query(
      "SELECT name FROM recordings WHERE EXISTS (SELECT 1 FROM snapshots WHERE "
      "recording_id=recordings.id) ORDER BY changed_ns DESC, id DESC LIMIT 1");
  if (rows.next()) return rows.text(0);
  Error error("the store has no snapshots");
  throw error.set_hint("icecore run -- PROGRAM");
}

std::vector<std::uint64_t> Catalog::numbers(std::string_view recording) const {
  Rows rows = index_.query("SELECT number FROM snapshots WHERE recording_id=?1 ORDER BY number",
                           recording_id(recording));
  std::vector<std::uint64_t> found;
  while (rows.next()) found.push_back(rows.number(0));
  return found;
}

void Catalog::no_such_snapshot(const SnapshotKey& key) const {
  const auto all = numbers(key.recording);
  Error error("there is no snapshot " + key.text());
  if (all.empty()) {
    error.set_why(key.recording + " has no snapshots");
  } else {
    const auto above = std::ranges::lower_bound(all, key.number);
    std::string near = "it has " + std::to_string(all.size()) + ", from " +
                       std::to_string(all.front()) + " to " + std::to_string(all.back());
    if (above != all.begin() && above != all.end()) {
      near += "; near are " + std::to_string(*(above - 1)) + " and " + std::to_string(*above);
    }
    error.set_why(near);
  }
  throw error.set_hint("icecore list " + key.recording);
}

void Catalog::set_tag(const SnapshotKey& key, std::string_view tag) {
  index_.run("UPDATE snapshots SET tag=?3 WHERE recording_id=?1 AND number=?2",
             recording_id(key.recording), key.number, tag);
  if (index_.changes() == 0) no_such_snapshot(key);
}

void Catalog::remove_one(const SnapshotKey& key) {
  const auto id = recording_id(key.recording);
  index_.run("DELETE FROM snapshots WHERE recording_id=?1 AND number=?2", id, key.number);
  if (index_.changes() == 0) no_such_snapshot(key);
  index_.run("DELETE FROM processes WHERE recording_id=?1 AND number=?2", id, key.number);
}

void Catalog::remove(std::span<const SnapshotKey> keys) {
  Transaction transaction(index_);
  for (const SnapshotKey& key : keys) remove_one(key);
  transaction.commit();
}

void Catalog::remove_recording(std::string_view recording) {
  Transaction transaction(index_);
  const auto id = recording_id(recording);
  index_.run("DELETE FROM snapshots WHERE recording_id=?1", id);
  index_.run("DELETE FROM processes WHERE recording_id=?1", id);
  index_.run("DELETE FROM skips WHERE recording_id=?1", id);
  index_.run("DELETE FROM file_pins WHERE recording_id=?1", id);
  index_.run("DELETE FROM recordings WHERE id=?1", id);
  transaction.commit();
}

}  // namespace icecore::store
