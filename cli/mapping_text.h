// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "snapshot/model/process.pb.h"

namespace icecore::cli {

/// "7f01..-7f02.. rw-p   64.0 KiB  [heap]"
[[nodiscard]] std::string mapping_text(const model::Mapping& mapping);

/// All mappings by kind: "heap 1.2 MiB", "files 9.9 MiB of 4 files"; the largest first.
[[nodiscard]] std::vector<std::string> mapping_summary(const model::Process& process);

/// What a mapping is part of: "heap", "stacks", "anonymous", "shared", "files", "kernel".
[[nodiscard]] std::string mapping_kind(const model::Mapping& mapping);

}  // namespace icecore::cli
