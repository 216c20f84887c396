// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>

#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/open_store.h"
#include "cli/quantities.h"
#include "cli/recording_options.h"
#include "replay/image/image_builder.h"
#include "replay/image/image_catalog.h"
#include "replay/image/raw_memory.h"
#include "snapshot/recorder.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME"},
};
constexpr std::array kOptions = {
    Option{"ready", 0, "WHEN",
           "it is ready when: port (it listens), port:N, http:/PATH, http:N/PATH, log:REGEX, "
           "notify (READY=1 to $NOTIFY_SOCKET), exec:COMMAND, signal (SIGUSR1 to "
           "$ICECORE_READY_PID)",
           Completes::Nothing, "port"},
    Option{"warm", 0, "COMMAND", "then run COMMAND with sh, to warm it ($ICECORE_PID is its pid)",
           Completes::Program},
    Option{"timeout", 0, "TIME", "give up when all that takes longer", Completes::Nothing, "60s"},
    Option{"tcp", 0, "refuse|close",
           "connections that leave the tree: refuse, or let copies see them reset",
           Completes::Nothing, "refuse"},
    Option{"copy-event", 0, "",
           "give the program an eventfd as descriptor 3 ($ICECORE_COPY_EVENTFD) that is readable "
           "in copies"},
    Option{"replace", 0, "", "remove an image of that name first"},
};

replay::ImageOptions options_of(const Invocation& invocation) {
  replay::ImageOptions options;
  options.name = invocation.argument(0);
  options.command = invocation.rest();
  options.ready = invocation.text("ready");
  if (invocation.has("warm")) options.warm = {invocation.text("warm")};
  options.time_limit = invocation.duration("timeout").value_or(options.time_limit);
  if (invocation.text("tcp") == "close") options.connections = replay::Image::Connections::Reset;
  if (invocation.has("copy-event")) options.copy_event = replay::ImageOptions::CopyEvent::Give;
  options.note = [&invocation](std::string_view line) { invocation.note(line); };
  return options;
}

void make_room(const Invocation& invocation, store::Store& store, const std::string& name) {
  bool taken = false;
  for (const auto& recording : store.recordings()) taken |= recording.name == name;
  const replay::ImageCatalog catalog(store.directory());
  if (invocation.has("replace") && catalog.contains(name)) {
    catalog.remove(name);
    if (taken) store.remove_recording(name);
    return;
  }
  if (taken) {
    throw Error("recording " + name + " exists already")
        .set_hint(catalog.contains(name)
                      ? "--replace, or: icecore image rm " + name
                      : "choose another name, or: icecore rm --recording " + name);
  }
}

/// The image with all that belongs to it; nothing of it when that fails.
replay::Image build(store::Store& store, const replay::ImageOptions& options) {
  const replay::ImageCatalog catalog(store.directory());
  try {
    auto image = replay::build_image(store, options);
    try {
      replay::write_raw_memory(snapshot::StoredSnapshot(store, {image.name, image.number}),
                               catalog.file(image.name, "memory"));
      catalog.write(image);
    } catch (...) {
      // Files first: on a full disk the index has no room to forget the recording.
      catalog.remove(image.name);
      store.remove_recording(image.name);
      throw;
    }
    return image;
  } catch (...) {
    catalog.remove(options.name);
    throw;
  }
}

int run(const Invocation& invocation) {
  const std::string name = invocation.argument(0);
  require_recording_name(name);
  if (invocation.rest().empty()) throw UsageError("icecore image build: no program to run");
  auto options = options_of(invocation);
  options.mask = snapshot::block_recorder_signals();
  auto store = open_or_create_store(invocation);
  make_room(invocation, store, name);
  // Orphans of the tree come to us instead of init, and so stay in the tree.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto image = build(store, options);
  for (const auto& line : image.advice) invocation.note("advice: " + line);
  invocation.note("it took " + microseconds_text(image.start_us) +
                  " to get ready; from now on: icecore image run " + name);
  std::cout << image.snapshot() << "\n";
  return 0;
}

}  // namespace

Command image_build_command() {
  return {
      .name = "image build",
      .group = Group::Image,
      .summary = "start a service, wait until it is ready, and keep that moment as an image",
      .usage = "image build NAME [--ready WHEN] [--warm COMMAND] -- PROGRAM ARGS...",
      .description =
          "Starts PROGRAM in the foreground of a session of its own, with pipes as its standard "
          "streams, waits until it is ready, takes a snapshot and ends it. `icecore image run "
          "NAME` starts copies from that moment. What holds the image to this moment or machine "
          "is told as advice; what cannot be in an image is refused with the whole list (exit "
          "status 3). The image is a snapshot like any other: `icecore gdb NAME` opens it.",
      .arguments = kArguments,
      .options = kOptions,
      .rest = Rest::AfterDashes,
      .examples =
          "icecore image build web --ready http:/health -- java -jar web.jar\n"
          "icecore image build cache --ready port:6379 --warm ./fill.sh -- redis-server",
      .run = run};
}

}  // namespace icecore::cli
