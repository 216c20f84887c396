// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/invocation.h"
#include "store/store.h"

namespace icecore::cli {

/// The store that the command line means, for verbs that look (ReadOnly) or keep (ReadWrite).
[[nodiscard]] store::Store open_store(const Invocation& invocation, store::Store::Access access);

/// The same for verbs that record: made where there is none.
[[nodiscard]] store::Store open_or_create_store(const Invocation& invocation);

}  // namespace icecore::cli
