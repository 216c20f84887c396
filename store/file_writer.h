// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "store/pack_sink.h"
#include "store/page_codec.h"
#include "store/pending_rows.h"
#include "store/types.h"

namespace icecore::store {

/// The content of `fd`, read to its end.
[[nodiscard]] FileId hash_file(int fd);

/// Stores the content of `fd` as pages and a manifest. The id is that of the bytes stored, should
/// the file be changing meanwhile.
[[nodiscard]] PendingFile store_file(int fd, PackSink& sink, PageEncoder& encoder,
                                     PendingRows& rows, std::uint64_t& budget);

/// True when `fd` still is what `identity` says and has not changed so lately that a later change
/// could go unseen behind equal timestamps.
[[nodiscard]] bool identity_holds(int fd, const FileIdentity& identity);

}  // namespace icecore::store
