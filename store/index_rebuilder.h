// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "store/types.h"

namespace icecore::store {

/// Makes index.db anew from what the packs say. A snapshot of which something is missing is left
/// out and reported. The old index, if any, is kept as index.db.old.
class IndexRebuilder {
 public:
  explicit IndexRebuilder(std::filesystem::path store);
  RebuildReport run();

 private:
  std::filesystem::path store_;
};

}  // namespace icecore::store
