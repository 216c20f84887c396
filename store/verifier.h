// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "store/damage_reach.h"
#include "store/stored_objects.h"
#include "store/types.h"

namespace icecore::store {

/// Reads and hashes every record that the index knows, then decodes and hashes every page. Safe
/// beside writers and gc. Damage is reported once, at the record that has it.
class Verifier {
 public:
  /// Borrows `index`.
  Verifier(std::filesystem::path store, SqliteConnection& index);
  VerifyReport run(const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

 private:
  void check_segments();
  void check_pages(std::uint32_t segment);
  void check_page(const SegmentReader& segment, std::uint32_t page);
  void check_lists();
  void check_files();
  void check_snapshots();
  /// Checks one record; false when it is damaged, which is then noted.
  bool check(const std::function<std::optional<Locator>()>& find, RecordType type,
             const std::string& what, const LostObjects& lost);
  void note(const std::string& file, std::uint64_t offset, const std::string& what,
            const LostObjects& lost);
  void advance(std::uint64_t bytes);

  std::filesystem::path store_;
  SqliteConnection& index_;
  StoredObjects objects_;
  VerifyReport report_;
  std::vector<Damage> damages_;
  std::vector<LostObjects> lost_;  // by each of damages_
  std::set<std::uint32_t> damaged_segments_;
  std::function<void(std::uint64_t, std::uint64_t)> progress_;
  std::uint64_t total_ = 0;
};

}  // namespace icecore::store
