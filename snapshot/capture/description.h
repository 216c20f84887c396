// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/capture/borrowed_descriptor.h"
#include "snapshot/capture/pipes.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/model/file.pb.h"
#include "snapshot/proc/fdinfo.h"

namespace icecore::snapshot {

/// Where an open file can be looked at.
struct DescriptorPlace {
  const ProcDirectory& directory;
  const DescriptorLender& lender;
  int fd;
};

/// Fills all of `file` but its id and peers: what its links, stat and fdinfo say, and what must be
/// asked of the object itself. Files and directories are never touched, only looked at by name. A
/// memfd's seals become the fdinfo line "seals:\t0x..", which the kernel does not write.
void describe_open_file(const DescriptorPlace& place, const proc::FdInfo& info, PipeCapture& pipes,
                        model::OpenFile& file);

/// Whether the fdinfo of `file` shows a lease (F_SETLEASE), which opening it anew would break.
bool has_lease(const model::OpenFile& file);

}  // namespace icecore::snapshot
