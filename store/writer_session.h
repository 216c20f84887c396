// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "store/pack_sink.h"
#include "store/page_codec.h"
#include "store/page_list.h"
#include "store/recording_lock.h"
#include "store/recording_writer.h"
#include "store/snapshot_record.h"
#include "store/sqlite_connection.h"
#include "store/stored_objects.h"

namespace icecore::store {

/// Where a space stands after the last committed snapshot.
struct SpaceHead {
  std::uint64_t parent_space = 0;
  std::uint64_t parent_sequence = 0;
  std::uint64_t sequence = 0;
  std::uint32_t list = 0;
  enum class InIndex { No, Yes } in_index = InIndex::Yes;
  /// The pages; empty until somebody asks.
  std::shared_ptr<const PageMap> map;
};

/// What a RecordingWriter and its SnapshotWriters share. It has a connection and caches of its own,
/// so that it can live in another thread than the Store.
class RecordingWriter::Impl {
 public:
  Impl(std::filesystem::path store, std::string_view name);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  [[nodiscard]] SpaceId new_space();
  [[nodiscard]] SpaceId new_space(SpaceId parent, std::uint64_t number);
  void skip(std::int64_t realtime_ns, std::string_view reason);

  /// Throws when the space has ended or never was.
  [[nodiscard]] SpaceHead& head(SpaceId space);
  [[nodiscard]] const PageMap& map_of(SpaceId space);

  std::filesystem::path store;
  std::unique_ptr<SqliteConnection> index;
  FileLock lock;
  std::int64_t id = 0;
  RecordedRecording recording;
  std::uint64_t next_number = 1;
  std::map<SpaceId, SpaceHead> heads;
  std::unique_ptr<StoredObjects> objects;
  std::unique_ptr<PackSink> sink;
  PageEncoder encoder;
  bool snapshot_open = false;

 private:
  void load_or_create();
  /// Puts in order what a writer that died, or `rm`, has left.
  void tidy();
  void load_heads();
};

/// Throws unless `name` can name a recording.
void check_recording_name(std::string_view name);

}  // namespace icecore::store
