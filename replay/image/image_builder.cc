// SPDX-License-Identifier: Apache-2.0
#include "replay/image/image_builder.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/unique_fd.h"
#include "replay/image/image_advice.h"
#include "replay/image/image_catalog.h"
#include "replay/image/readiness.h"
#include "replay/image/shell_command.h"
#include "replay/image/starting_program.h"
#include "replay/image/touched_files.h"
#include "replay/image/tree_sockets.h"
#include "replay/restore/restorer.h"
#include "snapshot/recorder.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::replay {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(10);
// For the program to notice that those who asked whether it is ready have gone.
constexpr auto kSettling = std::chrono::seconds(2);

std::string status_text(int status) {
  if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
  return "ended with exit status " + std::to_string(WEXITSTATUS(status));
}

class Building {
 public:
  Building(store::Store& store, const ImageOptions& options)
      : store_(store),
        options_(options),
        deadline_(Clock::now() + options.time_limit),
        readiness_(Readiness::parse(options.ready)),
        copy_file_(ImageCatalog(store.directory()).make_copy_file(options.name)),
        copy_event_(options.copy_event == ImageOptions::CopyEvent::Give ? ::eventfd(0, EFD_CLOEXEC)
                                                                        : -1),
        program_({options.command, environment(), options.mask, copy_event_.get()}) {}

  Image run();

 private:
  [[nodiscard]] std::vector<std::string> environment() const;
  void wait_until_ready();
  void warm();
  void settle();
  void check_alive(const std::string& when);
  [[noreturn]] void fail(const std::string& what) const;
  void note_touched_files() const;
  std::uint64_t take_snapshot();
  void check(const Image& image) const;

  store::Store& store_;
  const ImageOptions& options_;
  Clock::time_point deadline_;
  std::unique_ptr<Readiness> readiness_;
  std::string copy_file_;
  UniqueFd copy_event_;
  StartingProgram program_;
};

std::vector<std::string> Building::environment() const {
  std::vector<std::string> entries = readiness_->environment();
  entries.push_back("ICECORE_COPY_FILE=" + copy_file_);
  if (copy_event_.valid()) entries.emplace_back("ICECORE_COPY_EVENTFD=3");
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    // What the service manager gave us is ours, not the image's.
    const bool ours = text.starts_with("NOTIFY_SOCKET=") || text.starts_with("LISTEN_FDS=") ||
                      text.starts_with("LISTEN_PID=") || text.starts_with("ICECORE_");
    if (!ours) entries.push_back(text);
  }
  return entries;
}

void Building::fail(const std::string& what) const {
  const std::string output = program_.last_lines();
  throw Error("image " + options_.name + ": " + what)
      .set_why(output.empty() ? "it has written nothing" : "its last output:\n" + output);
}

void Building::check_alive(const std::string& when) {
  const auto status = program_.ended();
  if (!status) return;
  program_.pump(std::chrono::milliseconds(0));
  fail(options_.command.front() + " " + status_text(*status) + " " + when);
}

void Building::wait_until_ready() {
  while (!readiness_->holds(program_.pid(), program_.take_output())) {
    check_alive("before it was ready (" + options_.ready +
                "); a program that becomes a daemon must be told to stay in the foreground");
    if (Clock::now() > deadline_) fail("not ready in time (" + options_.ready + ")");
    program_.pump(kTick);
  }
}

void Building::warm() {
  for (const auto& command : options_.warm) {
    ShellCommand running(command, program_.pid());
    std::optional<int> status;
    while (!(status = running.ended())) {
      check_alive("while it was warmed (" + command + ")");
      if (Clock::now() > deadline_) fail("the warming took too long: " + command);
      program_.pump(kTick);
    }
    if (*status != 0) {
      fail("the warming ended with exit status " + std::to_string(*status) + ": " + command);
    }
  }
}

/// Connections of those who probed and warmed it are closed by the program when it comes to that.
void Building::settle() {
  const auto end = Clock::now() + kSettling;
  const auto leaves = [](const TreeSocket& socket) { return !socket.listening && !socket.inside; };
  while (Clock::now() < end && std::ranges::any_of(tree_sockets(program_.pid()), leaves)) {
    check_alive("before the snapshot");
    program_.pump(kTick);
  }
}

/// While it lives. Without it a first start after a boot is slower.
void Building::note_touched_files() const {
  const auto path = ImageCatalog(store_.directory()).file(options_.name, "touched");
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const std::string text = touched_text(touched_files(program_.pid()));
  [[maybe_unused]] const auto wrote = ::write(file.get(), text.data(), text.size());
}

std::uint64_t Building::take_snapshot() {
  auto writer = store_.write(options_.name);
  std::string command;
  for (const auto& word : options_.command) command += (command.empty() ? "" : " ") + word;
  writer.describe(command, program_.pid());
  snapshot::RecorderOptions recording;
  recording.tag = "image";
  recording.files.written = true;
  std::uint64_t number = 0;
  {
    snapshot::Recorder recorder(std::move(writer), store_.directory(), program_.pid(), recording);
    number = recorder.snap_once(snapshot::Recorder::Afterwards::Kill);
  }
  program_.pump(std::chrono::milliseconds(0));
  // Its ports are free again only when it has gone altogether.
  program_.end();
  return number;
}

void Building::check(const Image& image) const {
  const snapshot::StoredSnapshot stored(store_, {image.name, image.number});
  RestoreOptions options;
  options.files.changed = FileOptions::Changed::Private;
  if (image.connections == Image::Connections::Reset) options.files.tcp = FileOptions::Tcp::Close;
  const auto refusals = check_restore(stored, options);
  if (refusals.empty()) return;
  std::string why;
  for (const auto& refusal : refusals) {
    why += (why.empty() ? "" : "\n") + refusal.object + ": " + refusal.reason;
    if (!refusal.hint.empty()) why += " (" + refusal.hint + ")";
  }
  Refused refused(image.name + " cannot be an image");
  refused.set_why(why);
  throw refused;
}

Image Building::run() {
  const auto begin = Clock::now();
  wait_until_ready();
  const auto ready = Clock::now();
  warm();
  settle();
  check_alive("before the snapshot");
  Image image;
  image.name = options_.name;
  image.command = options_.command;
  image.ready = options_.ready;
  image.connections = options_.connections;
  image.copy_file = copy_file_;
  image.start_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(ready - begin).count());
  image.built_ns = std::chrono::system_clock::now().time_since_epoch().count();
  image.ports = listening_ports(tree_sockets(program_.pid()));
  note_touched_files();
  if (options_.note) options_.note("ready; taking the snapshot");
  image.number = take_snapshot();
  try {
    check(image);
    const snapshot::StoredSnapshot stored(store_, {image.name, image.number});
    image.advice = image_advice(stored.model());
  } catch (...) {
    store_.remove_recording(image.name);
    throw;
  }
  return image;
}

}  // namespace

Image build_image(store::Store& store, const ImageOptions& options) {
  return Building(store, options).run();
}

}  // namespace icecore::replay
