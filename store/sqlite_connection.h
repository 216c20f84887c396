// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace icecore::store {

class SqliteConnection;

/// The rows of one running statement; gives the statement back to its connection when destroyed.
class Rows {
 public:
  Rows(SqliteConnection& connection, std::string sql, sqlite3_stmt* statement);
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  /// Steps to the next row; false when there is none.
  bool next();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t number(int column) const;
  [[nodiscard]] std::uint32_t number32(int column) const;
  [[nodiscard]] std::string text(int column) const;
  /// Valid until next().
  [[nodiscard]] std::span<const std::byte> blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class SqliteConnection;
  void bind(int place, std::int64_t value);
  void bind_text(int place, std::string_view value);
  void bind_blob(int place, std::span<const std::byte> value);

  template <typename Value>
  void bind_any(int place, const Value& value) {
    if constexpr (std::is_enum_v<Value> || std::is_integral_v<Value>) {
      bind(place, static_cast<std::int64_t>(value));
    } else if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
      bind_text(place, value);
    } else {
      bind_blob(place, std::span<const std::byte>(value));
    }
  }

  SqliteConnection& connection_;
  std::string sql_;
  sqlite3_stmt* statement_;
};

/// One connection to the index. Errors are icecore::Error and name the index. One thread at a time.
class SqliteConnection {
 public:
  enum class Mode {
    ReadOnly,
    ReadOnlyImmutable,  ///< for media where SQLite can put no -shm file
    ReadWrite,
    Create,
  };
  SqliteConnection(const std::filesystem::path& file, Mode mode);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  /// Binds `values` to ?1, ?2 ... and starts the statement. Prepared statements are kept.
  template <typename... Values>
  Rows query(std::string_view sql, const Values&... values) {
    Rows rows = prepare(sql);
    int place = 0;
    (rows.bind_any(++place, values), ...);
    return rows;
  }
  /// The same for a statement without rows.
  template <typename... Values>
  void run(std::string_view sql, const Values&... values) {
    query(sql, values...).next();
  }
  /// Several statements without parameters.
  void execute(const std::string& sql);
  /// True when the file cannot be written, whatever the mode.
  [[nodiscard]] bool is_read_only() const;
  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] std::int64_t changes() const;

 private:
  friend class Rows;
  friend class Transaction;
  Rows prepare(std::string_view sql);
  void give_back(std::string sql, sqlite3_stmt* statement) noexcept;
  [[noreturn]] void fail(const std::string& doing, int code) const;

  std::string file_;
  sqlite3* database_ = nullptr;
  std::unordered_map<std::string, std::vector<sqlite3_stmt*>> idle_;
};

/// A write transaction that rolls back unless it is committed.
class Transaction {
 public:
  explicit Transaction(SqliteConnection& connection);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  /// Durable when it returns.
  void commit();

 private:
  SqliteConnection& connection_;
  bool open_ = true;
};

}  // namespace icecore::store
