// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "store/catalog.h"
#include "store/index.h"
#include "store/snapshot_reader_impl.h"
#include "store/store.h"

namespace icecore::store {

class Store::Impl {
 public:
  Impl(std::filesystem::path where, Access how)
      : directory(std::move(where)),
        access(how),
        index(open_index(
            directory, how == Access::ReadOnly ? IndexAccess::ReadOnly : IndexAccess::ReadWrite)) {}

  [[nodiscard]] Catalog catalog() const { return Catalog(*index); }

  void require_writable(const std::string& doing) const {
    if (access == Access::ReadOnly) {
      throw Error(doing + ": the store " + directory.string() + " is open for reading only");
    }
  }

  const std::shared_ptr<ReadSession>& readers() {
    if (readers_ == nullptr) readers_ = std::make_shared<ReadSession>(directory);
    return readers_;
  }

  std::filesystem::path directory;
  Access access;
  std::unique_ptr<SqliteConnection> index;

 private:
  std::shared_ptr<ReadSession> readers_;
};

}  // namespace icecore::store
