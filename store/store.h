// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/types.h"

namespace icecore::store {

class RecordingWriter;
class SnapshotReader;
class StoredFile;

/// One store: a directory of packs and a SQLite index. Movable, cheap to open; not for use by two
/// threads at once (open it twice instead). Everything it does on disk is durable in the order
/// pack, fdatasync, commit, so that a death at any instant costs at most the snapshot being
/// written.
class Store {
 public:
  enum class Access { ReadOnly, ReadWrite };

  /// Opens an existing store. Throws Error with exit status NoSuchStore when `directory` is none,
  /// and names the versions when it was written by a newer icecore.
  static Store open(const std::filesystem::path& directory, Access access);
  /// As open(ReadWrite), but creates the directory (0700) and an empty store first where none is.
  /// Refuses a non-empty directory that is no store.
  static Store open_or_create(const std::filesystem::path& directory);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  [[nodiscard]] const std::filesystem::path& directory() const;

  /// Newest first.
  [[nodiscard]] std::vector<RecordingSummary> recordings() const;
  /// Ascending numbers. Throws when there is no such recording, naming those that are near.
  [[nodiscard]] std::vector<SnapshotSummary> snapshots(std::string_view recording) const;
  /// Snapshots that were due but not taken, ascending by time.
  [[nodiscard]] std::vector<SkippedSnapshot> skips(std::string_view recording) const;

  /// Finds what a person named: NAME@3, NAME@last, NAME@-2, NAME@14:03:20, NAME@-10s, NAME@TAG,
  /// NAME (its last), or the same without NAME (the newest recording). One grammar everywhere.
  [[nodiscard]] SnapshotKey resolve(std::string_view name) const;
  /// The same, or A..B with both ends included; ascending.
  [[nodiscard]] std::vector<SnapshotKey> resolve_range(std::string_view name) const;

  [[nodiscard]] SnapshotSummary summary(const SnapshotKey& key) const;
  [[nodiscard]] SnapshotReader read(const SnapshotKey& key) const;
  [[nodiscard]] StoredFile open_file(const FileId& id) const;
  [[nodiscard]] bool has_file(const FileId& id) const;

  /// Starts or continues `recording` as its only writer. Throws Error (exit status Locked) naming
  /// the owner's pid when another process writes it.
  [[nodiscard]] RecordingWriter write(std::string_view recording);
  /// A name that no recording has yet: `base`, else `base-2`, `base-3` ...
  [[nodiscard]] std::string unused_name(std::string_view base) const;

  void set_tag(const SnapshotKey& key, std::string_view tag);
  /// Forgets snapshots (their numbers are never used again); collect_garbage() gives the space
  /// back.
  void remove(std::span<const SnapshotKey> keys);
  /// Forgets a whole recording; its name may be used again.
  void remove_recording(std::string_view recording);

  /// Mark and sweep under the store's lock; safe beside readers and writers.
  GarbageReport collect_garbage();
  /// Reads and hashes every byte that a committed snapshot needs. `progress` may be empty.
  VerifyReport verify(
      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) const;
  /// Makes index.db anew from the packs, when it is lost or damaged. Tags, skips and removals made
  /// after a snapshot was written are not in the packs and are lost.
  static RebuildReport rebuild_index(const std::filesystem::path& directory);

 private:
  class Impl;
  explicit Store(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace icecore::store
