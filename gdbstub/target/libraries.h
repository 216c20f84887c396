// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace icecore::gdbstub {

/// One entry of the dynamic loader's list (struct link_map).
struct Library {
  std::string name;
  std::uint64_t link_map = 0;
  std::uint64_t load_bias = 0;
  std::uint64_t dynamic = 0;
  std::uint64_t name_space = 0;  ///< dlmopen's
};

struct LibraryList {
  /// The link map of the program itself; 0 before the loader has made it.
  std::uint64_t main_link_map = 0;
  /// All but the program.
  std::vector<Library> libraries;
};

/// What the dynamic loader has loaded.
class Libraries {
 public:
  virtual ~Libraries() = default;
  virtual LibraryList libraries(std::int32_t pid) = 0;
  /// Where the program keeps its pointer to the loader's r_debug (the value of DT_DEBUG); nullopt
  /// for a program without one.
  virtual std::optional<std::uint64_t> debug_pointer(std::int32_t pid) = 0;
};

}  // namespace icecore::gdbstub
