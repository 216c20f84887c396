// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/capture/borrowed_descriptor.h"
#include "snapshot/capture/pipes.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/model/file.pb.h"
#include "snapshot/proc/fdinfo.h"

namespace icecore::snapshot {

/// Fills what the links, stat and fdinfo of descriptor `fd` say of `file`. Files and directories
/// are never touched, only looked at by name.
void name_open_file(const ProcDirectory& directory, int fd, const proc::FdInfo& info,
                    model::OpenFile& file);

/// Whether ask_open_file() has anything to add.
[[nodiscard]] bool must_be_asked(const model::OpenFile& file);

/// A descriptor of the process (or thread) `tid`, to be borrowed from it.
struct DescriptorPlace {
  int tid;
  int fd;
  const DescriptorLender& lender;
};
/// Fills what only the object itself can tell, through a duplicate of the descriptor; and what
/// time changes by itself. A memfd's seals become the fdinfo line "seals:\t0x..", which the kernel
/// does not write.
void ask_open_file(const DescriptorPlace& place, PipeCapture& pipes, model::OpenFile& file);

/// Whether the fdinfo of `file` shows a lease (F_SETLEASE), which opening it anew would break.
bool has_lease(const model::OpenFile& file);

}  // namespace icecore::snapshot
