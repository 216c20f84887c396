// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "cli/commands.h"
#include "cli/open_store.h"
#include "cli/service_manager.h"
#include "replay/image/bank.h"
#include "replay/image/image_catalog.h"
#include "replay/image/raw_memory.h"
#include "snapshot/stored_snapshot.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME", Argument::Count::One, Completes::Recording},
};

/// Until a request to end; throws when the process that holds the memory has died.
void hold(const UniqueFd& signals, int pid) {
  for (;;) {
    signalfd_siginfo signal{};
    if (::read(signals.get(), &signal, sizeof signal) != sizeof signal) continue;
    if (signal.ssi_signo != SIGCHLD) return;
    if (::waitpid(pid, nullptr, WNOHANG | __WALL) == pid) {
      throw Error("process " + std::to_string(pid) + ", which held the memory, has died")
          .set_hint("start it again; copies start without it meanwhile, more slowly");
    }
  }
}

UniqueFd ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!fd.valid()) throw_errno("signalfd");
  return fd;
}

int run(const Invocation& invocation) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const replay::ImageCatalog catalog(store.directory());
  const auto image = catalog.find(invocation.argument(0));
  const auto path = catalog.file(image.name, "bank");
  if (const auto other = replay::read_bank_record(path)) {
    throw Error("image " + image.name + " is kept warm already, by process " +
                std::to_string(other->pid));
  }
  const UniqueFd signals = ending_signals();
  const snapshot::StoredSnapshot snapshot(store, {image.name, image.number});
  const auto pages = replay::RawMemory::open(catalog.file(image.name, "memory"),
                                             catalog.file(image.name, "verified"), image.number);
  const replay::Bank bank(snapshot, pages.get());
  replay::write_bank_record(path, bank.record());
  invocation.note(image.name + " is warm");
  notify_service_manager("READY=1");
  try {
    hold(signals, bank.record().pid);
  } catch (...) {
    std::filesystem::remove(path);
    throw;
  }
  std::filesystem::remove(path);
  return 0;
}

}  // namespace

Command image_warm_command() {
  return {
      .name = "image warm",
      .group = Group::Image,
      .summary = "hold an image's memory ready, so that copies start in milliseconds",
      .usage = "image warm NAME",
      .description =
          "Stays in the foreground and keeps the memory of the image's root process in a process "
          "of its own. While it does, `icecore image run NAME` forks that instead of reading "
          "the store, and copies share all that they do not write. It ends with SIGTERM or ^C; "
          "copies that run are not harmed.",
      .arguments = kArguments,
      .examples = "icecore image warm web &\nicecore image run web",
      .run = run};
}

}  // namespace icecore::cli
