// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "replay/files/file_options.h"
#include "replay/restore/refusal.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// What the changes of files since the snapshot mean for a restore with `options`; looks only.
[[nodiscard]] Refusals check_file_changes(const snapshot::StoredSnapshot& snapshot,
                                          const FileOptions& options, bool in_place);

/// One line for each file that roll_back_files() would change.
[[nodiscard]] std::vector<std::string> preview_rollback(const snapshot::StoredSnapshot& snapshot);

/// Makes again, with the recorded content, what is gone from its path or was replaced there: ahead
/// of everything that opens files.
void make_missing_files(const snapshot::StoredSnapshot& snapshot, int root);
/// Writes the recorded contents back into files that have changed, only where they differ, and
/// their times. Last, when nothing else can fail any more.
void roll_back_files(const snapshot::StoredSnapshot& snapshot, int root);

/// One line about the files that FileOptions::Changed::Sandbox takes as they are now, or leaves
/// empty, since the snapshot does not hold what they were; empty when there are none.
[[nodiscard]] std::string describe_taken_files(const snapshot::StoredSnapshot& snapshot);
/// Those of them that the tree writes get their copies in a view of the tree's own.
void take_present_files(const snapshot::StoredSnapshot& snapshot, int root);

/// In a view of the tree's own: every kept file gets its content, and is opened for writing once,
/// so that all later opens find the same copy.
void fill_private_view(const snapshot::StoredSnapshot& snapshot, int root);
/// The part of it that is named_memory().
void fill_named_memory(const snapshot::StoredSnapshot& snapshot, int root);

}  // namespace icecore::replay
