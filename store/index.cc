// SPDX-License-Identifier: Apache-2.0
#include "store/index.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/unique_fd.h"
#include "schema_sql.h"

namespace icecore::store {
namespace {

/// "icec": tells our index from any other SQLite file.
constexpr int kApplicationId = 0x69636563;

/// Migration N brings an index of version N to N + 1; the first makes it.
constexpr std::array<const char*, kIndexVersion> kMigrations{kSchemaSql};

int pragma(SqliteConnection& index, const char* name) {
  Rows rows = index.query(std::string("PRAGMA ") + name);
  rows.next();
  return static_cast<int>(rows.integer(0));
}

Error no_such_store(const std::filesystem::path& store, const std::string& what) {
  Error error("open store " + store.string() + ": " + what);
  error.set_exit_status(ExitStatus::NoSuchStore);
  return error;
}

void migrate(SqliteConnection& index) {
  while (pragma(index, "user_version") < kIndexVersion) {
    Transaction transaction(index);
    const int version = pragma(index, "user_version");  // another process may have been here
    if (version >= kIndexVersion) return;
    index.execute(kMigrations.at(static_cast<std::size_t>(version)));
    index.execute("PRAGMA user_version=" + std::to_string(version + 1));
    index.execute("PRAGMA application_id=" + std::to_string(kApplicationId));
    transaction.commit();
  }
}

void insert_store_row(SqliteConnection& index, const StoreUuid& uuid) {
  Transaction transaction(index);
  index.run(
      "INSERT INTO store (uuid, next_object) SELECT ?1, 1 WHERE NOT EXISTS "
      "(SELECT 1 FROM store)",
      uuid);
  transaction.commit();
}

void check_version(const std::filesystem::path& store, SqliteConnection& index) {
  const int version = pragma(index, "user_version");
  if (version == 0 || pragma(index, "application_id") != kApplicationId) {
    throw no_such_store(store, "index.db is not the index of an icecore store");
  }
  if (version > kIndexVersion) {
    Error error("open store " + store.string() + ": its format is version " +
                std::to_string(version) + ", this icecore knows up to version " +
                std::to_string(kIndexVersion));
    error.set_why("it was written by a newer icecore; nothing was changed");
    error.set_hint("icecore --version");
    throw error;
  }
}

void check_exists(const std::filesystem::path& store) {
  struct stat status {};
  if (::stat(index_path(store).c_str(), &status) == 0) return;
  if (errno != ENOENT && errno != ENOTDIR) throw_errno("open store " + store.string());
  if (::stat(store.c_str(), &status) != 0) {
    auto error = no_such_store(store, "there is no such directory");
    throw error.set_hint("icecore run -- PROGRAM");
  }
  if (::stat((store / "packs").c_str(), &status) == 0) {
    auto error = no_such_store(store, "its index.db is missing");
    error.set_why("the packs are there: the index can be made anew from them");
    throw error.set_hint("icecore verify --rebuild-index --store " + store.string());
  }
  throw no_such_store(store, "the directory is no icecore store");
}

/// For a read-only medium: SQLite wants a -shm file beside an index in WAL mode.
std::unique_ptr<SqliteConnection> open_for_looking(const std::filesystem::path& store) {
  const auto file = index_path(store);
  try {
    return std::make_unique<SqliteConnection>(file, SqliteConnection::Mode::ReadOnly);
  } catch (Error& error) {
    if (::access(store.c_str(), W_OK) == 0) throw;
    struct stat wal {};
    if (::stat((file.string() + "-wal").c_str(), &wal) == 0 && wal.st_size > 0) {
      error.set_why("index.db-wal holds commits that only a writable directory can show");
      throw;
    }
  }
  return std::make_unique<SqliteConnection>(file, SqliteConnection::Mode::ReadOnlyImmutable);
}

}  // namespace

std::filesystem::path index_path(const std::filesystem::path& store) { return store / "index.db"; }

std::unique_ptr<SqliteConnection> open_index(const std::filesystem::path& store,
                                             IndexAccess access) {
  check_exists(store);
  auto index = open_for_looking(store);
  check_version(store, *index);
  if (access == IndexAccess::ReadOnly) return index;
  if (::access(store.c_str(), W_OK) != 0) {
    throw_errno("open store " + store.string() + " for writing");
  }
  index.reset();
  index = std::make_unique<SqliteConnection>(index_path(store), SqliteConnection::Mode::ReadWrite);
  migrate(*index);
  return index;
}

std::unique_ptr<SqliteConnection> create_index_file(const std::filesystem::path& file,
                                                    const StoreUuid& uuid) {
  // SQLite gives -wal and -shm the mode of the index, so the index is made before SQLite sees it.
  const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) throw_errno("create " + file.string());
  auto index = std::make_unique<SqliteConnection>(file, SqliteConnection::Mode::Create);
  migrate(*index);
  insert_store_row(*index, uuid);
  return index;
}

void create_index(const std::filesystem::path& store, const StoreUuid& uuid) {
  (void)create_index_file(index_path(store), uuid);
}

StoreUuid random_uuid() {
  StoreUuid uuid;
  if (::getrandom(uuid.data(), uuid.size(), 0) != static_cast<ssize_t>(uuid.size())) {
    throw_errno("getrandom");
  }
  return uuid;
}

StoreUuid store_uuid(SqliteConnection& index) {
  Rows rows = index.query("SELECT uuid FROM store");
  StoreUuid uuid{};
  if (!rows.next() || rows.blob(0).size() != uuid.size()) throw Error("the index has no store row");
  std::ranges::copy(rows.blob(0), uuid.begin());
  return uuid;
}

}  // namespace icecore::store
