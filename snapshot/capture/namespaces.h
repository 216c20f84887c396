// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/model/process.pb.h"

namespace icecore::snapshot {

/// icecore's own namespaces, for comparison. Read once: icecore does not change them.
class OwnNamespaces {
 public:
  OwnNamespaces();
  [[nodiscard]] bool shares(const std::string& kind, std::uint64_t inode) const;

 private:
  std::map<std::string, std::uint64_t> inodes_;
};

/// Fills Process.namespaces. Those for future children are listed only when they differ from the
/// process's own.
void capture_namespaces(const ProcDirectory& directory, const OwnNamespaces& own,
                        model::Process& process);

/// What `process` has of that kind ("ipc", "mnt", ...) and icecore did not share; null when it
/// shared it.
[[nodiscard]] const model::Namespace* own_namespace(const model::Process& process,
                                                    std::string_view kind);

}  // namespace icecore::snapshot
