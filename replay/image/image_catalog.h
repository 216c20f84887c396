// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "replay/image/image.h"

namespace icecore::replay {

/// The images of a store: `images/NAME.image` beside the packs, and what can be made anew from the
/// snapshot in `images/NAME.*`. Files are 0600, the directory 0700, as all of a store.
class ImageCatalog {
 public:
  explicit ImageCatalog(const std::filesystem::path& store)
      : directory_(std::filesystem::absolute(store) / "images") {}

  /// By name. What cannot be read is left out of the list; find() says why.
  [[nodiscard]] std::vector<Image> list() const;
  /// Throws Error naming those that there are, and Refused for one that somebody else has built.
  [[nodiscard]] Image find(std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const;
  /// Where the files are; fine when it is there.
  void make_directory() const;
  /// Makes the directory, and the empty file that every copy sees another one in place of
  /// (copy_file.h); the path of that.
  [[nodiscard]] std::filesystem::path make_copy_file(std::string_view name) const;
  /// Durable when it returns; replaces an older one of that name.
  void write(const Image& image) const;
  /// Removes the description and all that was made from it; fine when there is none.
  void remove(std::string_view name) const;

  /// "images/NAME.SUFFIX"
  [[nodiscard]] std::filesystem::path file(std::string_view name, std::string_view suffix) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace icecore::replay
