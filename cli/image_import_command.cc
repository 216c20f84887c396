// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/image_text.h"
#include "cli/oci_layout.h"
#include "cli/open_store.h"
#include "cli/private_directory.h"
#include "cli/recording_options.h"
#include "replay/image/image_catalog.h"
#include "replay/image/raw_memory.h"
#include "replay/image/snapshot_transfer.h"

namespace icecore::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array kArguments = {
    Argument{"DIR", Argument::Count::One, Completes::Directory},
};
constexpr std::array kOptions = {
    Option{"name", 0, "NAME", "call it NAME here (default: as it was called)"},
};

/// A store around the packs, which say all that its index needs.
store::Store store_of(const std::vector<fs::path>& packs, const fs::path& directory) {
  fs::create_directories(directory / "packs");
  for (std::size_t i = 0; i < packs.size(); ++i) {
    std::string number = std::to_string(i + 1);
    number.insert(0, 8 - std::min<std::size_t>(8, number.size()), '0');
    fs::create_symlink(fs::absolute(packs[i]), directory / "packs" / (number + ".pack"));
  }
  const auto report = store::Store::rebuild_index(directory);
  (void)report;
  return store::Store::open(directory, store::Store::Access::ReadOnly);
}

int run(const Invocation& invocation) {
  const fs::path directory = invocation.argument(0);
  auto contents = read_oci_layout(directory);
  auto& image = contents.image;
  const auto stored = image.snapshot();
  auto store = open_or_create_store(invocation);
  if (invocation.has("name")) image.name = invocation.text("name");
  require_recording_name(image.name);
  for (const auto& recording : store.recordings()) {
    if (recording.name != image.name) continue;
    throw Error("recording " + image.name + " exists already")
        .set_hint("icecore image import --name OTHER " + directory.string());
  }
  const PrivateDirectory passing;
  const auto from = store_of(contents.packs, passing.path() / "store");
  const snapshot::StoredSnapshot snapshot(from, from.resolve(stored));
  image.number = replay::transfer_snapshot(snapshot, store, image.name, command_text(image));
  const replay::ImageCatalog catalog(store.directory());
  catalog.make_directory();
  replay::write_raw_memory(snapshot::StoredSnapshot(store, {image.name, image.number}),
                           catalog.file(image.name, "memory"));
  catalog.write(image);
  std::cout << image.snapshot() << "\n";
  return 0;
}

}  // namespace

Command image_import_command() {
  return {.name = "image import",
          .group = Group::Image,
          .summary = "take an image from a directory that `image export` has written",
          .usage = "image import [--name NAME] DIR",
          .description =
              "Every byte is checked against its digest. The image belongs to whoever imports it; "
              "whether it can be started here is told by `icecore restore --check NAME`.",
          .arguments = kArguments,
          .options = kOptions,
          .run = run};
}

}  // namespace icecore::cli
