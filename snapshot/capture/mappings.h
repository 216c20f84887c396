// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/capture/proc_directory.h"
#include "snapshot/model/file.pb.h"
#include "snapshot/model/process.pb.h"

namespace icecore::snapshot {

/// Fills Process.mappings from maps: all that the pause needs. What can be told by the name alone
/// is told in Mapping.content (the kernel's own pages, memfd_secret). Flags come later.
void capture_mappings(const ProcDirectory& directory, model::Process& process);

/// Adds flags, page sizes and guard regions to mappings that were captured before. Reads smaps, for
/// which the kernel walks all page tables: milliseconds per GiB, so never in the pause. Of a
/// process that runs again, mappings that meanwhile went keep empty flags. MADV_DONTDUMPed and
/// device memory becomes Mapping::NOT_HELD.
void capture_mapping_flags(const ProcDirectory& directory, model::Process& process);

/// Whether the process has put anything into a mapping that is not held; true when that cannot be
/// told (before Linux 6.7).
bool has_content(const ProcDirectory& directory, const model::Mapping& mapping);

/// "7f0012340000-7f0012350000", as maps, map_files and our messages name a mapping.
std::string mapping_range(const model::Mapping& mapping);

/// Names [vvar], [vsyscall] and the like: pages of the kernel that nobody can read from outside.
bool is_kernel_mapping(std::string_view name);
/// memfd_secret(2): not even the kernel reads it.
bool is_secret_memory(const model::Mapping& mapping);
/// MAP_ANONYMOUS with MAP_HUGETLB, which the kernel gives a file that nobody else sees.
bool is_anonymous_huge(const model::Mapping& mapping);
/// Of an io_uring or of asynchronous I/O (io_setup): the kernel's side of it is nowhere to be read.
bool is_ring(const model::Mapping& mapping);

}  // namespace icecore::snapshot
