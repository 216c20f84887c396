// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>

#include "store/index.h"
#include "store/reader_lease.h"
#include "store/stored_objects.h"

namespace icecore::store {

/// What all readers made by one Store share: a connection of their own and the caches. Everything
/// is done under `mutex`, so that readers may live in another thread than the Store.
struct ReadSession {
  explicit ReadSession(const std::filesystem::path& store)
      : index(open_index(store, IndexAccess::ReadOnly)), objects(store, *index), lease(store) {}

  std::mutex mutex;
  std::unique_ptr<SqliteConnection> index;
  StoredObjects objects;
  ReaderLease lease;
};

}  // namespace icecore::store
