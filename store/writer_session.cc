// SPDX-License-Identifier: Apache-2.0
#include "store/writer_session.h"

#include <algorithm>
#include <exception>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "store/index.h"

namespace icecore::store {
namespace {

constexpr std::size_t kLongestName = 128;

FileLock take_lock(const std::filesystem::path& store, std::string_view name) {
  check_recording_name(name);
  const auto file = recording_lock_path(store, name);
  auto lock = FileLock::try_take(file);
  if (lock) return std::move(*lock);
  const std::string owner = lock_owner(file);
  Error error("write recording " + std::string(name) + ": process " + owner + " is writing it");
  error.set_exit_status(ExitStatus::Locked);
  error.set_hint("icecore list " + std::string(name));
  throw error;
}

}  // namespace

void check_recording_name(std::string_view name) {
  const bool has_bad = std::ranges::any_of(name, [](char letter) {
    return letter == '@' || letter == '/' || letter == '~' ||
           static_cast<unsigned char>(letter) < 0x21 || letter == 0x7f;
  });
  if (!name.empty() && name.size() <= kLongestName && !has_bad && name.front() != '-' &&
      name.front() != '.' && name.find("..") == std::string_view::npos) {
    return;
  }
  Error error("\"" + std::string(name) + "\" cannot name a recording");
  error.set_why(
      "a name has 1 to 128 letters, no space, @, / or ~, no .., and starts with neither . nor -");
  throw error.set_exit_status(ExitStatus::WrongUsage);
}

RecordingWriter::Impl::Impl(std::filesystem::path directory, std::string_view name)
    : store(std::move(directory)),
      index(open_index(store, IndexAccess::ReadWrite)),
      lock(take_lock(store, name)) {
  recording.name = name;
  load_or_create();
  tidy();
  load_heads();
  objects = std::make_unique<StoredObjects>(store, *index);
  sink = std::make_unique<PackSink>(store, *index, id);
}

RecordingWriter::Impl::~Impl() {
  try {
    Transaction transaction(*index);
    index->run("UPDATE packs SET state='sealed' WHERE recording_id=?1", id);
    index->run("DELETE FROM file_pins WHERE recording_id=?1", id);
    // Started, but nothing ever came of it: leave no trace.
    index->run(
        "DELETE FROM recordings WHERE id=?1 AND next_number=1 AND NOT EXISTS "
        "(SELECT 1 FROM skips WHERE recording_id=?1)",
        id);
    transaction.commit();
  } catch (const std::exception& error) {
    log(Topic::Store, std::string("closing a recording: ") + error.what());
  }
}

void RecordingWriter::Impl::load_or_create() {
  Transaction transaction(*index);
  {
    Rows rows = index->query(
        "SELECT id, uuid, command, root_pid, created_ns, next_number, next_space "
        "FROM recordings WHERE name=?1",
        recording.name);
    if (rows.next()) {
      id = rows.integer(0);
      std::ranges::copy(rows.blob(1), recording.uuid.begin());
      recording.command = rows.text(2);
      recording.root_pid = static_cast<std::int32_t>(rows.integer(3));
      recording.created_ns = rows.integer(4);
      next_number = rows.number(5);
      recording.next_space = rows.number(6);
      return;
    }
  }
  recording.uuid = random_uuid();
  recording.created_ns = realtime_ns();
  index->run(
      "INSERT INTO recordings (uuid, name, command, root_pid, created_ns, changed_ns, "
      "next_number, next_space) VALUES (?1, ?2, '', 0, ?3, ?3, 1, 1)",
      recording.uuid, recording.name, recording.created_ns);
  id = index->last_insert_id();
  transaction.commit();
}

void RecordingWriter::Impl::tidy() {
  Transaction transaction(*index);
  index->run("UPDATE packs SET state='sealed' WHERE recording_id=?1", id);
  index->run("DELETE FROM file_pins WHERE recording_id=?1", id);
  // Branches of a writer that died before it committed a snapshot with them.
  index->run("DELETE FROM spaces WHERE recording_id=?1 AND first_number>=?2", id, next_number);
  // What only removed snapshots had seen cannot go on: gc may take its newest pages at any time.
  index->run(
      "UPDATE spaces SET ended_number=?2 WHERE recording_id=?1 AND ended_number IS NULL AND "
      "max(first_number, coalesce((SELECT max(number) FROM page_lists WHERE "
      "page_lists.recording_id=?1 AND page_lists.space=spaces.space), 0)) > coalesce("
      "(SELECT max(number) FROM snapshots WHERE recording_id=?1), 0)",
      id, next_number);
  transaction.commit();
}

void RecordingWriter::Impl::load_heads() {
  Rows rows = index->query(
      "SELECT s.space, s.parent_space, s.parent_sequence, coalesce(l.sequence, 0), coalesce(l.id, "
      "0) "
      "FROM spaces s LEFT JOIN page_lists l ON l.recording_id=s.recording_id AND l.space=s.space "
      "AND "
      "l.sequence=(SELECT max(sequence) FROM page_lists WHERE recording_id=s.recording_id AND "
      "space=s.space) WHERE s.recording_id=?1 AND s.ended_number IS NULL",
      id);
  while (rows.next()) {
    SpaceHead& head = heads[SpaceId{rows.number(0)}];
    head.parent_space = rows.number(1);
    head.parent_sequence = rows.number(2);
    head.sequence = rows.number(3);
    head.list = rows.number32(4);
  }
}

SpaceId RecordingWriter::Impl::new_space() {
  const SpaceId space{recording.next_space++};
  heads[space].in_index = SpaceHead::InIndex::No;
  return space;
}

SpaceId RecordingWriter::Impl::new_space(SpaceId parent, std::uint64_t number) {
  const auto parent_id = static_cast<std::uint64_t>(parent);
  // Into the index at once: from here on gc knows that the parent's pages are needed.
  Transaction transaction(*index);
  {
    Rows rows =
        index->query("SELECT 1 FROM snapshots WHERE recording_id=?1 AND number=?2", id, number);
    if (!rows.next()) {
      throw Error("branch off from " + recording.name + "@" + std::to_string(number) +
                  ": there is no such snapshot");
    }
  }
  SpaceHead head;
  head.parent_space = parent_id;
  {
    Rows rows = index->query(
        "SELECT parent_space, parent_sequence, coalesce((SELECT max(sequence) FROM page_lists "
        "WHERE "
        "recording_id=?1 AND space=?2 AND number<=?3), 0) FROM spaces WHERE recording_id=?1 AND "
        "space=?2 AND first_number<=?3 AND (ended_number IS NULL OR ended_number>?3)",
        id, parent_id, number);
    if (!rows.next()) {
      throw Error("branch off from space " + std::to_string(parent_id) + " of " + recording.name +
                  "@" + std::to_string(number) + ": the snapshot has no such space");
    }
    head.parent_sequence = rows.number(2);
    if (head.parent_sequence == 0) {  // the parent has nothing of its own: branch where it did
      head.parent_space = rows.number(0);
      head.parent_sequence = rows.number(1);
    }
  }
  const SpaceId space{recording.next_space};
  index->run(
      "INSERT INTO spaces (recording_id, space, parent_space, parent_sequence, first_number) "
      "VALUES (?1, ?2, ?3, ?4, ?5)",
      id, space, head.parent_space, head.parent_sequence, next_number);
  index->run("UPDATE recordings SET next_space=?2 WHERE id=?1", id, recording.next_space + 1);
  transaction.commit();
  ++recording.next_space;
  heads[space] = head;
  return space;
}

void RecordingWriter::Impl::skip(std::int64_t realtime_ns, std::string_view reason) {
  index->run("INSERT INTO skips (recording_id, realtime_ns, reason) VALUES (?1, ?2, ?3)", id,
             realtime_ns, reason);
}

SpaceHead& RecordingWriter::Impl::head(SpaceId space) {
  const auto found = heads.find(space);
  if (found != heads.end()) return found->second;
  throw Error("write to space " + std::to_string(static_cast<std::uint64_t>(space)) + " of " +
              recording.name + ": it has ended or never was");
}

const PageMap& RecordingWriter::Impl::map_of(SpaceId space) {
  SpaceHead& found = head(space);
  if (found.map == nullptr) {
    const bool is_known = found.in_index == SpaceHead::InIndex::Yes;
    found.map = std::make_shared<const PageMap>(
        is_known ? objects->page_map(id, static_cast<std::uint64_t>(space), found.sequence)
                 : PageMap());
  }
  return *found.map;
}

}  // namespace icecore::store
