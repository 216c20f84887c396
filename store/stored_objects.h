// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>

#include "store/pack_reader.h"
#include "store/page_list.h"
#include "store/segment_reader.h"
#include "store/sqlite_connection.h"

namespace icecore::store {

/// A record and the pack that it borrows from.
struct LoadedRecord {
  std::shared_ptr<const PackReader> pack;
  PackRecord record;
};

/// Finds segments and page lists by what the index says, and keeps what was used last at hand. Safe
/// beside gc: a pack that has gone is looked up anew. One thread at a time.
class StoredObjects {
 public:
  /// Borrows `index`.
  StoredObjects(std::filesystem::path store, SqliteConnection& index);

  [[nodiscard]] std::shared_ptr<const SegmentReader> segment(std::uint32_t id);
  /// The space as it is after its list `sequence`, with what it branched off from.
  [[nodiscard]] PageMap page_map(std::int64_t recording, std::uint64_t space,
                                 std::uint64_t sequence);
  /// The space as snapshot `number` sees it; empty when it has no such space.
  [[nodiscard]] PageMap page_map_at(std::int64_t recording, std::uint64_t space,
                                    std::uint64_t number);

  /// Decodes without comparing the hash: for finding out what changed. False when it is damaged.
  [[nodiscard]] bool decode(PageRef page, std::span<std::byte, kPageSize> out);
  /// Throws CorruptStore unless every byte is what was written.
  void read_page(PageRef page, std::span<std::byte, kPageSize> out);
  /// The same, but for the hash where the pack is as its writer left it.
  void copy_page(PageRef page, std::span<std::byte, kPageSize> out);
  /// Pages from `first` on, at most `most`, that lie in the pack as they are, as sound as those of
  /// copy_page(); empty when `first` does not. Valid until the next call.
  [[nodiscard]] std::span<const std::byte> raw_run(PageRef first, std::uint64_t most);
  /// By their hashes.
  [[nodiscard]] bool same_content(const PageVersion& one, const PageVersion& other);
  /// What a delta against `page` has to refer to: its base, or itself when it is whole.
  [[nodiscard]] PageRef base_of(PageRef page);

  /// The record that `find` locates; `what` names it when it is not there. The body is compared
  /// with its checksum.
  [[nodiscard]] LoadedRecord load(const std::function<std::optional<Locator>()>& find,
                                  RecordType type, const std::string& what);
  [[nodiscard]] SqliteConnection& index() { return index_; }

 private:
  using ListKey = std::tuple<std::int64_t, std::uint64_t, std::uint64_t>;
  struct CachedList {
    std::shared_ptr<const PageList> list;
    std::list<ListKey>::iterator age;
  };

  [[nodiscard]] bool is_base_as_written(PageRef page);
  void check_hash(PageRef page, std::span<const std::byte> bytes);
  LoadedRecord load_unchecked(const std::function<std::optional<Locator>()>& find, RecordType type,
                              const std::string& what);
  std::shared_ptr<PackReader> open_pack(const Locator& locator);
  std::shared_ptr<const PageList> page_list(const ListKey& key);
  std::shared_ptr<const PageList> load_page_list(const ListKey& key);
  void keep(const ListKey& key, std::shared_ptr<const PageList> list);

  std::filesystem::path store_;
  SqliteConnection& index_;
  std::unordered_map<std::uint64_t, std::shared_ptr<PackReader>> packs_;
  std::unordered_map<std::uint32_t, std::shared_ptr<const SegmentReader>> segments_;
  std::map<ListKey, CachedList> lists_;
  std::list<ListKey> ages_;  // the most recently used first
  std::size_t list_bytes_ = 0;
};

}  // namespace icecore::store
