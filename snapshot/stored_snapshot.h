// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/unique_fd.h"
#include "snapshot/model/snapshot.pb.h"
#include "store/snapshot_reader.h"
#include "store/store.h"

namespace icecore::snapshot {

/// One stored snapshot opened for looking: its model, the memory of its processes and the files
/// that they had mapped. What the read-only view, backtraces, diff and core export all read from.
/// The store must outlive it. One thread at a time.
class StoredSnapshot {
 public:
  StoredSnapshot(const store::Store& store, const store::SnapshotKey& key);
  /// The same snapshot with another model: of a copy that is to differ from it in some details.
  StoredSnapshot(const StoredSnapshot& other, model::Snapshot model);

  [[nodiscard]] const store::SnapshotKey& key() const { return reader_.key(); }
  [[nodiscard]] const store::Store& store() const { return store_; }
  [[nodiscard]] const store::SnapshotReader& reader() const { return reader_; }
  [[nodiscard]] const model::Snapshot& model() const { return *model_; }
  [[nodiscard]] const model::Process* find_process(int pid) const;

  /// The mapping of `process` that holds `address`, or null.
  static const model::Mapping* find_mapping(const model::Process& process, std::uint64_t address);

  /// Copies memory of `process` from `address` on; returns how many bytes could be read before the
  /// first byte that is unmapped or not held.
  std::size_t read_memory(const model::Process& process, std::uint64_t address,
                          std::span<std::byte> out) const;

  /// Which content the page at `address` has: equal means equal bytes. nullopt when it is unmapped
  /// or not held. For watchpoints over snapshots.
  [[nodiscard]] std::optional<store::PageVersion> page_version(const model::Process& process,
                                                               std::uint64_t address) const;

  /// The file behind `path` as the snapshot keeps it; null when it is not held.
  [[nodiscard]] const model::MappedFile* find_file(const std::string& path) const;
  /// Opens a content of the store (MappedFile.content or .debug_content).
  [[nodiscard]] std::optional<store::StoredFile> open_content(const std::string& content) const;
  /// The same as a sealed in-memory file, for libraries that want a descriptor or a path
  /// (/proc/self/fd/N). Invalid when it is not held.
  [[nodiscard]] UniqueFd materialize(const std::string& content) const;

 private:
  std::size_t read_file(const model::Mapping& mapping, std::uint64_t address,
                        std::span<std::byte> out) const;

  const store::Store& store_;
  store::SnapshotReader reader_;
  std::shared_ptr<const model::Snapshot> model_;
  // Files that memory reads have touched, by content, kept open.
  mutable std::map<std::string, std::optional<store::StoredFile>> files_;
};

}  // namespace icecore::snapshot
