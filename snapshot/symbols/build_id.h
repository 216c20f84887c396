// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "snapshot/symbols/process_image.h"

namespace icecore::symbols {

/// The GNU build-id of an ELF file, as lower-case hex. Empty when it has none or is no ELF file.
std::string read_build_id(int fd);

/// The same from the memory of a process, where the file is mapped with its header at `start`.
std::string read_build_id(const ProcessImage& image, std::uint64_t start);

/// The build-id's bytes from its hex form; throws Error when it is no hex.
std::vector<std::byte> build_id_bytes(const std::string& hex);

/// What .gnu_debuglink says: the name of the separate debug file and the CRC-32 of its content.
struct DebugLink {
  std::string name;
  std::uint32_t crc = 0;
};
std::optional<DebugLink> read_debug_link(int fd);

/// Paths where the debug information of the ELF file `fd`, found at `path`, may lie; best first:
/// DIR/.build-id/xx/yyyy.debug, then by its debug link beside it, in .debug/ and below DIR.
std::vector<std::string> debug_file_candidates(
    int fd, const std::string& path, const std::string& debug_directory = "/usr/lib/debug");

/// Opens the first candidate that really belongs to the file: same build-id, or the link's CRC.
struct DebugFile {
  UniqueFd fd;
  std::string path;
};
DebugFile find_debug_file(int fd, const std::string& path,
                          const std::string& debug_directory = "/usr/lib/debug");

}  // namespace icecore::symbols
