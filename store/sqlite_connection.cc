// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace icecore::store {
namespace {

// Long enough for a collection that marks a big store while a snapshot waits to be committed.
constexpr int kBusyTimeoutMs = 60'000;

/// SQLite takes "file:" names with percent escapes.
std::string uri_of(const std::string& file, std::string_view parameters) {
  std::string uri = "file:";
  for (const char letter : file) {
    if (letter == '%' || letter == '?' || letter == '#') {
      constexpr std::string_view kHex = "0123456789abcdef";
      const auto code = static_cast<unsigned char>(letter);
      uri += {'%', kHex[code >> 4U], kHex[code & 15U]};
    } else {
      uri += letter;
    }
  }
  return uri.append(parameters);
}

int errno_of(int code, sqlite3* database) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ENOSPC;
    case SQLITE_READONLY:
      return EROFS;
    case SQLITE_BUSY:
      return EBUSY;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return database == nullptr ? 0 : sqlite3_system_errno(database);
    default:
      return 0;
  }
}

}  // namespace

Rows::Rows(SqliteConnection& connection, std::string sql, sqlite3_stmt* statement)
    : connection_(connection), sql_(std::move(sql)), statement_(statement) {}

Rows::Rows(Rows&& other) noexcept
    : connection_(other.connection_),
      sql_(std::move(other.sql_)),
      statement_(std::exchange(other.statement_, nullptr)) {}

Rows::~Rows() {
  if (statement_ != nullptr) connection_.give_back(std::move(sql_), statement_);
}

bool Rows::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.fail("query", code);
  return false;
}

std::int64_t Rows::integer(int column) const { return sqlite3_column_int64(statement_, column); }
std::uint64_t Rows::number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
std::uint32_t Rows::number32(int column) const {
  return static_cast<std::uint32_t>(integer(column));
}

std::string Rows::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::byte> Rows::blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Rows::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Rows::bind(int place, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_, place, value);
  if (code != SQLITE_OK) connection_.fail("bind", code);
}

void Rows::bind_text(int place, std::string_view value) {
  const int code =
      sqlite3_bind_text64(statement_, place, value.data() == nullptr ? "" : value.data(),
                          value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) connection_.fail("bind", code);
}

void Rows::bind_blob(int place, std::span<const std::byte> value) {
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  const int code = sqlite3_bind_blob64(statement_, place, data, value.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) connection_.fail("bind", code);
}

SqliteConnection::SqliteConnection(const std::filesystem::path& file, Mode mode)
    : file_(file.string()) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_FULLMUTEX;
  if (mode == Mode::ReadOnly || mode == Mode::ReadOnlyImmutable) flags |= SQLITE_OPEN_READONLY;
  if (mode == Mode::ReadWrite || mode == Mode::Create) flags |= SQLITE_OPEN_READWRITE;
  if (mode == Mode::Create) flags |= SQLITE_OPEN_CREATE;
  const auto uri = uri_of(file_, mode == Mode::ReadOnlyImmutable ? "?immutable=1" : "");
  const int code = sqlite3_open_v2(uri.c_str(), &database_, flags, nullptr);
  try {
    if (code != SQLITE_OK) fail("open", code);
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, kBusyTimeoutMs);
    if (mode == Mode::ReadWrite || mode == Mode::Create) {
      if (is_read_only()) throw_errno("open " + file_ + " for writing", EACCES);
      // FULL: a commit that was reported survives a power cut. NORMAL would lose the last ones.
      execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    }
    // The file is opened at the first read only: find out here whether it can be.
    query("PRAGMA schema_version").next();
  } catch (...) {
    for (auto& [sql, statements] : idle_) {
      for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
    }
    sqlite3_close(database_);
    throw;
  }
}

SqliteConnection::~SqliteConnection() {
  for (auto& [sql, statements] : idle_) {
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
  }
  sqlite3_close(database_);
}

void SqliteConnection::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail("execute", code);
}

bool SqliteConnection::is_read_only() const { return sqlite3_db_readonly(database_, "main") == 1; }

std::int64_t SqliteConnection::last_insert_id() const {
  return sqlite3_last_insert_rowid(database_);
}
std::int64_t SqliteConnection::changes() const { return sqlite3_changes64(database_); }

Rows SqliteConnection::prepare(std::string_view sql) {
  std::string key(sql);
  auto& idle = idle_[key];
  sqlite3_stmt* statement = nullptr;
  if (!idle.empty()) {
    statement = idle.back();
    idle.pop_back();
  } else {
    const int code = sqlite3_prepare_v3(database_, key.c_str(), static_cast<int>(key.size() + 1),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail("prepare", code);
  }
  return {*this, std::move(key), statement};
}

void SqliteConnection::give_back(std::string sql, sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  try {
    idle_[std::move(sql)].push_back(statement);
  } catch (...) {
    sqlite3_finalize(statement);
  }
}

void SqliteConnection::fail(const std::string& doing, int code) const {
  std::string text = database_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database_);
  const int cause = errno_of(code, database_);
  if ((code & 0xff) == SQLITE_IOERR && cause != 0) text += std::string(": ") + std::strerror(cause);
  Error error(doing + " " + file_ + ": " + text, cause);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      error.set_why("the index is damaged; it can be made anew from the packs");
      error.set_hint("icecore verify --rebuild-index");
      break;
    case SQLITE_FULL:
      error.set_why("the store has no room left").set_hint("icecore gc");
      break;
    default:
      break;
  }
  throw error;
}

Transaction::Transaction(SqliteConnection& connection) : connection_(connection) {
  connection_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // After some failures SQLite has rolled back by itself.
  if (open_ && sqlite3_get_autocommit(connection_.database_) == 0) {
    sqlite3_exec(connection_.database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::commit() {
  connection_.run("COMMIT");
  open_ = false;
}

}  // namespace icecore::store
