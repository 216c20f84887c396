// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/open_store.h"
#include "cli/quantities.h"
#include "replay/image/image_catalog.h"
#include "replay/image/snapshot_transfer.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME", Argument::Count::Optional, Completes::Recording},
};

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const replay::ImageCatalog catalog(store.directory());
  std::vector<replay::Image> images;
  if (invocation.arguments().empty()) {
    images = catalog.list();
  } else {
    images.push_back(catalog.find(invocation.argument(0)));
  }
  for (const auto& image : images) {
    const snapshot::StoredSnapshot snapshot(store, {image.name, image.number});
    const auto bytes =
        with_context("image " + image.name, [&] { return replay::read_whole(snapshot); });
    std::cout << image.name << ": " << bytes_text(bytes) << ", sound\n";
  }
  return 0;
}

}  // namespace

Command image_verify_command() {
  return {.name = "image verify",
          .group = Group::Image,
          .summary = "read all that an image needs, and check it against its hashes",
          .usage = "image verify [NAME]",
          .description = "Without NAME, all images. `icecore verify` checks the whole store.",
          .arguments = kArguments,
          .run = run};
}

}  // namespace icecore::cli
