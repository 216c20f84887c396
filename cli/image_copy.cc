// SPDX-License-Identifier: Apache-2.0
#include "cli/image_copy.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/unique_fd.h"
#include "cli/program_status.h"
#include "cli/quantities.h"
#include "cli/restored_program.h"
#include "cli/service_manager.h"
#include "replay/image/copy_file.h"
#include "replay/image/copy_model.h"
#include "replay/image/image_catalog.h"
#include "replay/image/inside_command.h"
#include "replay/image/lent_bank.h"
#include "replay/image/own_host_name.h"
#include "replay/image/paged_memory.h"
#include "replay/image/raw_memory.h"
#include "replay/image/read_ahead.h"
#include "replay/live/own_network.h"
#include "replay/restore/own_users.h"
#include "replay/restore/restorer.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(1);

std::string own_text(const replay::Image& image, const CopyWishes& wishes) {
  std::string text = "image " + image.name + "\ncopy " + std::to_string(wishes.number) + "\n";
  for (const auto& [from, to] : wishes.ports) {
    text += "port " + std::to_string(from) + " " + std::to_string(to) + "\n";
  }
  for (const auto& line : wishes.details) text += line + "\n";
  return text;
}

/// The image with what is other in this copy; most often nothing, and a model of thousands of
/// mappings takes time to copy.
snapshot::StoredSnapshot changed_for(const snapshot::StoredSnapshot& stored,
                                     const CopyWishes& wishes) {
  const bool has_event =
      !replay::environment_of_root(stored.model(), "ICECORE_COPY_EVENTFD").empty();
  if (wishes.ports.empty() && !has_event) return stored;
  model::Snapshot model = stored.model();
  replay::change_ports(model, {wishes.ports});
  replay::raise_copy_event(model);
  return {stored, std::move(model)};
}

replay::RestoreOptions options_of(const model::Snapshot& model, const replay::Image& image,
                                  const CopyWishes& wishes) {
  using Changed = replay::FileOptions::Changed;
  replay::RestoreOptions options;
  options.files.changed =
      wishes.files == CopyWishes::Files::Private ? Changed::Private : Changed::Keep;
  if (image.connections == replay::Image::Connections::Reset) {
    options.files.tcp = replay::FileOptions::Tcp::Close;
  }
  options.files.given = given_sockets(model);
  const std::string path = replay::environment_of_root(model, "ICECORE_COPY_FILE");
  if (!path.empty() && replay::provide_copy_file(path)) {
    options.own_file = {path, own_text(image, wishes)};
  }
  return options;
}

/// Whether something that was refused may be possible now: its holder has ended.
bool wait_for_a_holder(const replay::Refusals& refusals, Clock::time_point deadline) {
  const auto is_lasting = [](const replay::Refusal& refusal) { return refusal.holder == 0; };
  if (refusals.empty() || std::ranges::any_of(refusals, is_lasting)) return false;
  const auto rest =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (rest <= 0) return false;
  const UniqueFd holder(static_cast<int>(::syscall(SYS_pidfd_open, refusals.front().holder, 0)));
  if (!holder.valid()) return errno == ESRCH;
  pollfd ended{holder.get(), POLLIN, 0};
  return ::poll(&ended, 1, static_cast<int>(rest)) == 1;
}

/// A copy that was killed a moment ago may still have its ports.
replay::Refusals lasting_refusals(const snapshot::StoredSnapshot& snapshot,
                                  const replay::RestoreOptions& options) {
  const auto deadline = Clock::now() + kPatience;
  for (;;) {
    auto refusals = replay::check_restore(snapshot, options);
    if (!wait_for_a_holder(refusals, deadline)) return refusals;
  }
}

void require_startable(const snapshot::StoredSnapshot& snapshot, const replay::Image& image,
                       const replay::RestoreOptions& options) {
  const auto refusals = lasting_refusals(snapshot, options);
  if (refusals.empty()) return;
  Refused refused("image " + image.name + " cannot be started here and now");
  std::string why;
  for (const auto& refusal : refusals) {
    why += (why.empty() ? "" : "\n") + refusal.object + ": " + refusal.reason;
    if (!refusal.hint.empty()) why += " (" + refusal.hint + ")";
  }
  throw refused.set_why(why);
}

void tell_copy(const replay::RestoredTree& tree, const replay::Image& image,
               const CopyWishes& wishes) {
  if (wishes.signal != 0) ::kill(tree.root_pid, wishes.signal);
  if (wishes.after.empty()) return;
  const int status = replay::run_inside(
      tree.init_pid, wishes.after,
      {"ICECORE_IMAGE=" + image.name, "ICECORE_COPY=" + std::to_string(wishes.number),
       "ICECORE_PID=" + std::to_string(tree.inner_root)});
  if (status != 0) {
    throw Error("--after " + wishes.after + ": ended with exit status " + std::to_string(status));
  }
}

/// Null when nothing is limited.
std::unique_ptr<replay::LimitedCgroup> limited_cgroup(const replay::Image& image,
                                                      const CopyWishes& wishes,
                                                      const replay::ImageCatalog& catalog,
                                                      const replay::RestoreOptions& options) {
  const auto& limits = wishes.limits;
  if (limits.memory == 0 && limits.cpus <= 0) return nullptr;
  std::error_code none;
  const auto needed = std::filesystem::file_size(catalog.file(image.name, "memory"), none);
  if (!none && options.bank == nullptr && limits.memory != 0 && needed > limits.memory) {
    throw Error("image " + image.name + " holds " + bytes_text(needed) + ", and --mem allows " +
                bytes_text(limits.memory))
        .set_hint("--mem " + std::to_string((needed >> 20U) * 3 / 2 + 1) +
                  "M, or keep it warm: "
                  "what copies share is not theirs");
  }
  return std::make_unique<replay::LimitedCgroup>(limits, image.name);
}

/// Whoever must not live without having been announced is ended here, and not only with us: it may
/// be in a cgroup of ours.
void announce_copy(const replay::RestoredTree& tree, const replay::Image& image,
                   const CopyWishes& wishes, const std::function<void(int pid)>& started) {
  try {
    tell_copy(tree, image, wishes);
    started(tree.root_pid);
  } catch (...) {
    ::kill(tree.init_pid, SIGKILL);
    ::waitpid(tree.init_pid, nullptr, __WALL);
    throw;
  }
}

}  // namespace

int run_copy(const store::Store& store, const replay::Image& image, const CopyWishes& wishes,
             const std::function<void(int pid)>& started) {
  replay::enter_own_users();
  const replay::ImageCatalog catalog(store.directory());
  const auto pages = replay::RawMemory::open(catalog.file(image.name, "memory"),
                                             catalog.file(image.name, "verified"), image.number);
  const auto order = replay::read_page_order(catalog.file(image.name, "order"));
  std::optional<replay::ReadAhead> reading;
  if (pages != nullptr && !replay::read_bank_record(catalog.file(image.name, "bank"))) {
    reading.emplace(*pages, order, catalog.file(image.name, "touched"));
  }
  const snapshot::StoredSnapshot stored(store, {image.name, image.number});
  const snapshot::StoredSnapshot snapshot = changed_for(stored, wishes);
  auto options = options_of(snapshot.model(), image, wishes);
  std::optional<replay::OwnNetwork> network;
  if (wishes.network == CopyWishes::Network::Own) network.emplace();
  std::optional<replay::OwnHostName> host;
  if (!wishes.host_name.empty()) host.emplace(wishes.host_name);
  require_startable(snapshot, image, options);
  const auto bank = replay::LentBank::find(catalog.file(image.name, "bank"), snapshot);
  options.bank = bank.get();
  options.pages = pages.get();
  RestoredProgram program;
  auto limited = limited_cgroup(image, wishes, catalog, options);
  // Behind the cgroup, whose processes must have ended before it can be removed.
  std::unique_ptr<replay::PagedMemory> late;
  if (pages != nullptr) {
    late = replay::PagedMemory::create(*pages, order, catalog.file(image.name, "order"));
  }
  options.late = late.get();
  const auto tree =
      with_context("image " + image.name, [&] { return replay::restore(snapshot, options); });
  if (limited != nullptr) limited->leave();
  host.reset();
  network.reset();
  announce_copy(tree, image, wishes, started);
  const int status = program.wait(tree, RestoredProgram::Until::RootEnds);
  late.reset();
  limited.reset();
  return pass_on(status);
}

}  // namespace icecore::cli
