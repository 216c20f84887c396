// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace icecore::store {

/// Which file `fd` is, of which size, when it was last changed, and which life of the machine this
/// is: equal at two times only if nobody wrote to the file in between. Empty when that cannot be
/// found out.
[[nodiscard]] std::string file_mark(int fd);

/// Whether `note` holds that mark.
[[nodiscard]] bool is_marked(const std::filesystem::path& note, int fd);
/// Puts the mark of `fd` into `note`. What cannot be noted is checked again next time.
void note_mark(const std::filesystem::path& note, int fd) noexcept;

}  // namespace icecore::store
