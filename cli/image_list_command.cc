// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/image_text.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/quantities.h"
#include "cli/text_table.h"
#include "replay/image/image_catalog.h"

namespace icecore::cli {
namespace {

constexpr std::array kOptions = {
    Option{"json", 0, "", "print a JSON object"},
};

void print_table(const Invocation& invocation, const std::vector<replay::Image>& images) {
  using Align = TextTable::Align;
  TextTable table({{"IMAGE"}, {"BUILT"}, {"READY AFTER", Align::Right}, {"PORTS"}, {"COMMAND"}});
  for (const auto& image : images) {
    table.add({image.name, local_time_text(image.built_ns), microseconds_text(image.start_us),
               ports_text(image), command_text(image)});
  }
  table.print(std::cout, invocation.colour(STDOUT_FILENO) ? TextTable::Heading::Bold
                                                          : TextTable::Heading::Plain);
}

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const auto images = replay::ImageCatalog(store.directory()).list();
  if (invocation.has("json")) {
    nlohmann::ordered_json json = {{"version", 1}, {"images", nlohmann::ordered_json::array()}};
    for (const auto& image : images) json["images"].push_back(image_json(image));
    std::cout << json_text(json);
  } else {
    print_table(invocation, images);
  }
  return 0;
}

}  // namespace

Command image_list_command() {
  return {.name = "image list",
          .group = Group::Image,
          .summary = "list the images",
          .usage = "image list [--json]",
          .options = kOptions,
          .run = run};
}

}  // namespace icecore::cli
