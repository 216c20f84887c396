// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.h"
#include "replay/files/description_maker.h"
#include "replay/files/file_options.h"
#include "replay/restore/refusal.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {

/// A descriptor that maps the bytes which `mapping` (one with a file or with shared memory of a
/// file) had behind its own pages: the file at its path when that is unchanged, else a copy from
/// the store. `writable`: for MAP_SHARED mappings that are or may become writable (VmFlags "mw").
/// Throws Error or Refused naming the file.
[[nodiscard]] UniqueFd open_mapped_file(const snapshot::StoredSnapshot& snapshot,
                                        const model::Mapping& mapping,
                                        const Surroundings& surroundings, bool writable,
                                        FileOptions options);

/// The same for a file mapped shared (SharedObject::FILE or TMPFS), readable and writable.
[[nodiscard]] UniqueFd open_shared_file(const snapshot::StoredSnapshot& snapshot,
                                        const model::SharedObject& object,
                                        const Surroundings& surroundings, FileOptions options);

/// What PR_SET_MM_EXE_FD wants: the program that `process` runs.
[[nodiscard]] UniqueFd open_executable(const snapshot::StoredSnapshot& snapshot,
                                       const model::Process& process,
                                       const Surroundings& surroundings);

/// For fchdir(2) and chroot(2): O_PATH descriptors. A working directory that was deleted is made
/// again, as a deleted one.
[[nodiscard]] UniqueFd open_working_directory(const model::Process& process,
                                              const Surroundings& surroundings);
[[nodiscard]] UniqueFd open_root_directory(const model::Process& process,
                                           const Surroundings& surroundings);

/// What of the mapped files, executables and directories could not be had here and now. Looks only.
[[nodiscard]] Refusals check_mapped_files(const snapshot::StoredSnapshot& snapshot,
                                          const FileOptions& options);

}  // namespace icecore::replay
