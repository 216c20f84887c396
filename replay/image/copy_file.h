// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace icecore::replay {

/// Where the programs of an image find out that they are copies ($ICECORE_COPY_FILE): an empty file
/// for everybody, another one in its place for each copy. A program that has given up its rights
/// must reach it too, so that it is not in the store but, for root, in /run/icecore; the name has
/// that of the image and which store it is of.
[[nodiscard]] std::filesystem::path copy_file_path(const std::filesystem::path& images,
                                                   std::string_view name);

/// Makes the empty file, and /run/icecore, unless they are there. Throws Error.
void make_copy_file(const std::filesystem::path& path);
/// The same for a file in /run/icecore, since that is gone after a boot, and an image may come from
/// another machine. False when the file is elsewhere, and not there.
[[nodiscard]] bool provide_copy_file(const std::filesystem::path& path);
/// The file, and /run/icecore when it is empty then.
void remove_copy_file(const std::filesystem::path& path);

}  // namespace icecore::replay
