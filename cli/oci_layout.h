// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "replay/image/image.h"

namespace icecore::cli {

/// Makes `directory`, which holds the blobs of `packs` under blobs/sha256 already or nothing, an
/// OCI image layout (https://github.com/opencontainers/image-spec): a layer for each pack, the
/// image's description as label "icecore.image" of the config. Moves the packs in.
void write_oci_layout(const std::filesystem::path& directory, const replay::Image& image,
                      const std::vector<std::filesystem::path>& packs);

struct OciContents {
  replay::Image image;
  std::vector<std::filesystem::path> packs;  ///< blobs, in order
};
/// Throws Error for what is no layout, holds no image of icecore, or has a blob whose digest is
/// wrong.
[[nodiscard]] OciContents read_oci_layout(const std::filesystem::path& directory);

}  // namespace icecore::cli
