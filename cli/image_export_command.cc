// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/image_text.h"
#include "cli/oci_layout.h"
#include "cli/open_store.h"
#include "replay/image/image_catalog.h"
#include "replay/image/snapshot_transfer.h"

namespace icecore::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array kArguments = {
    Argument{"NAME", Argument::Count::One, Completes::Recording},
    Argument{"DIR", Argument::Count::One, Completes::Directory},
};

/// Removed with all that is left in it.
class PassingDirectory {
 public:
  explicit PassingDirectory(fs::path path) : path_(std::move(path)) {}
  PassingDirectory(const PassingDirectory&) = delete;
  PassingDirectory& operator=(const PassingDirectory&) = delete;
  ~PassingDirectory() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<fs::path> packs_in(const fs::path& store) {
  std::vector<fs::path> packs;
  for (const auto& entry : fs::directory_iterator(store / "packs")) {
    if (entry.path().extension() == ".pack") packs.push_back(entry.path());
  }
  std::ranges::sort(packs);
  return packs;
}

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  auto image = replay::ImageCatalog(store.directory()).find(invocation.argument(0));
  const fs::path directory = invocation.argument(1);
  std::error_code none;
  if (fs::exists(directory) && !fs::is_empty(directory, none)) {
    throw Error(directory.string() + " is there already and not empty");
  }
  fs::create_directories(directory);
  // It holds the program's memory.
  fs::permissions(directory, fs::perms::owner_all);
  const PassingDirectory passing(directory / ".store");
  {
    auto copy = store::Store::open_or_create(passing.path());
    const snapshot::StoredSnapshot snapshot(store, {image.name, image.number});
    image.number = replay::transfer_snapshot(snapshot, copy, image.name, command_text(image));
  }
  write_oci_layout(directory, image, packs_in(passing.path()));
  std::cout << directory.string() << "\n";
  return 0;
}

}  // namespace

Command image_export_command() {
  return {
      .name = "image export",
      .group = Group::Image,
      .summary = "write an image into a directory, as an OCI image layout",
      .usage = "image export NAME DIR",
      .description =
          "DIR, which must be empty or new, becomes an OCI image layout with all that the image "
          "needs: its packs as layers, its description in the config. skopeo and oras can carry "
          "it to a registry and back; no container engine can run it. It holds the program's "
          "memory, secrets included.",
      .arguments = kArguments,
      .examples = "icecore image export web web.oci && skopeo inspect oci:web.oci:web",
      .run = run};
}

}  // namespace icecore::cli
