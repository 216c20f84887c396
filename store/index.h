// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "store/pack_format.h"
#include "store/sqlite_connection.h"

namespace icecore::store {

/// The index's user_version; each migration raises it by one.
inline constexpr int kIndexVersion = 1;

[[nodiscard]] std::filesystem::path index_path(const std::filesystem::path& store);

enum class IndexAccess { ReadOnly, ReadWrite };
/// Opens the index of an existing store and migrates it when it is older. The errors of
/// Store::open().
[[nodiscard]] std::unique_ptr<SqliteConnection> open_index(const std::filesystem::path& store,
                                                           IndexAccess access);
/// Makes an empty index; fine when one is there already.
void create_index(const std::filesystem::path& store, const StoreUuid& uuid);
/// Makes an index in `file` without opening it by its usual name; for building one anew.
[[nodiscard]] std::unique_ptr<SqliteConnection> create_index_file(const std::filesystem::path& file,
                                                                  const StoreUuid& uuid);

[[nodiscard]] StoreUuid random_uuid();
[[nodiscard]] StoreUuid store_uuid(SqliteConnection& index);

}  // namespace icecore::store
