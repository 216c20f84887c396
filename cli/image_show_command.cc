// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/image_text.h"
#include "cli/json_text.h"
#include "cli/open_store.h"
#include "cli/quantities.h"
#include "replay/image/image_catalog.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME", Argument::Count::One, Completes::Recording},
};
constexpr std::array kOptions = {
    Option{"json", 0, "", "print a JSON object"},
};

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const auto image = replay::ImageCatalog(store.directory()).find(invocation.argument(0));
  if (invocation.has("json")) {
    auto json = image_json(image);
    json["version"] = 1;
    std::cout << json_text(json);
    return 0;
  }
  const auto summary = store.summary({image.name, image.number});
  std::cout << "image " << image.name << "\n"
            << "  snapshot  " << image.snapshot() << ", "
            << count_text(summary.processes, "process") << ", "
            << count_text(summary.threads, "thread") << ", " << bytes_text(summary.stored_bytes)
            << " in the store\n"
            << "  command   " << command_text(image) << "\n"
            << "  built     " << local_time_text(image.built_ns) << "\n"
            << "  ready     " << image.ready << ", after " << microseconds_text(image.start_us)
            << "\n"
            << "  ports     " << ports_text(image) << "\n";
  for (const auto& line : image.advice) std::cout << "  advice    " << line << "\n";
  return 0;
}

}  // namespace

Command image_show_command() {
  return {.name = "image show",
          .group = Group::Image,
          .summary = "show what an image is, and what to mind",
          .usage = "image show [--json] NAME",
          .arguments = kArguments,
          .options = kOptions,
          .examples = "icecore show NAME  # its processes, as of any snapshot",
          .run = run};
}

}  // namespace icecore::cli
