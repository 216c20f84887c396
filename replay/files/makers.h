// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "replay/files/description_maker.h"

namespace icecore::replay {

/// What a maker of one kind of description may use.
struct Making {
  const snapshot::StoredSnapshot& snapshot;
  const FileOptions& options;
  Surroundings& surroundings;
  Descriptions& made;  ///< so far; a maker may add several (both ends of a pipe)
};

// One per kind of open file, each in its own file. They add `file` (and what belongs to it) to
// `making.made`, or throw.
void make_plain_file(Making& making, const model::OpenFile& file);

}  // namespace icecore::replay
