// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <signal.h>

#include <array>
#include <charconv>

#include "cli/byte_size.h"
#include "cli/commands.h"
#include "cli/copy_crew.h"
#include "cli/image_copy.h"
#include "cli/open_store.h"
#include "cli/pid_file.h"
#include "cli/service_manager.h"
#include "cli/signal_names.h"
#include "replay/image/image_catalog.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {
    Argument{"NAME", Argument::Count::One, Completes::Recording},
};
constexpr std::array kOptions = {
    Option{"copies", 'n', "N", "start N copies; copy I has the ports of --port plus I-1",
           Completes::Nothing, "1"},
    Option{"port", 'p', "OLD=NEW", "listen on port NEW instead of OLD; may be given again"},
    Option{"env", 'e', "K=V", "put `env K=V` into the copy's $ICECORE_COPY_FILE"},
    Option{"arg", 0, "WORD", "put `arg WORD` into the copy's $ICECORE_COPY_FILE"},
    Option{"signal", 0, "SIGNAL", "send it SIGNAL (USR1, 10) when it runs"},
    Option{"after", 0, "COMMAND",
           "run COMMAND with sh in its namespaces when it runs, before it "
           "counts as started",
           Completes::Program},
    Option{"files", 0, "private|shared",
           "files that it writes: the copy's own, gone with it, or the ones of everybody",
           Completes::Nothing, "private"},
    Option{
        "net", 0, "shared|own",
        "its network: the starter's, or one of its own, where it reaches only itself and no port "
        "is taken; $LISTEN_FDS leads in",
        Completes::Nothing, "shared"},
    Option{"hostname", 0, "NAME", "its host name, instead of the starter's"},
    Option{"mem", 0, "SIZE", "limit the memory of each copy (512M, 2G), by a cgroup"},
    Option{"cpu", 0, "NUMBER", "limit each copy to so many CPUs (0.5, 2), by a cgroup"},
    Option{"pidfile", 0, "FILE", "write the pid of each copy's root, as seen from here, on a line",
           Completes::File},
};

int parse_number(const std::string& option, std::string_view text, int highest) {
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  if (!whole || value < 1 || value > highest) {
    throw UsageError("icecore image run: " + option + ": not a number from 1 to " +
                     std::to_string(highest));
  }
  return value;
}

std::map<int, int> ports_of(const Invocation& invocation) {
  std::map<int, int> ports;
  constexpr int kHighest = 65535;
  for (const auto& text : invocation.all("port")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) {
      throw UsageError("icecore image run: --port " + text + ": must be OLD=NEW");
    }
    const int from = parse_number("--port " + text, text.substr(0, equals), kHighest);
    ports[from] = parse_number("--port " + text, text.substr(equals + 1), kHighest);
  }
  return ports;
}

replay::CopyLimits limits_of(const Invocation& invocation) {
  replay::CopyLimits limits;
  if (invocation.has("mem")) {
    const auto bytes = parse_byte_size(invocation.text("mem"));
    if (!bytes || *bytes == 0) {
      throw UsageError("icecore image run: --mem " + invocation.text("mem") +
                       ": must be a size such as 512M");
    }
    limits.memory = *bytes;
  }
  if (invocation.has("cpu")) {
    const std::string text = invocation.text("cpu");
    const auto result = std::from_chars(text.data(), text.data() + text.size(), limits.cpus);
    constexpr double kLeast = 0.01;
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() ||
        !(limits.cpus >= kLeast) || limits.cpus > CPU_SETSIZE) {
      throw UsageError("icecore image run: --cpu " + text + ": must be a number such as 0.5 or 2");
    }
  }
  return limits;
}

CopyWishes wishes_of(const Invocation& invocation) {
  CopyWishes wishes;
  wishes.ports = ports_of(invocation);
  if (invocation.text("files") == "shared") wishes.files = CopyWishes::Files::Shared;
  if (invocation.text("net") == "own") wishes.network = CopyWishes::Network::Own;
  wishes.host_name = invocation.text("hostname");
  wishes.limits = limits_of(invocation);
  wishes.after = invocation.text("after");
  if (invocation.has("signal")) {
    const auto signal = parse_signal(invocation.text("signal"));
    if (!signal) {
      throw UsageError("icecore image run: --signal " + invocation.text("signal") +
                       ": there is no such signal");
    }
    wishes.signal = *signal;
  }
  for (const auto& entry : invocation.all("env")) {
    if (entry.find('=') == std::string::npos) {
      throw UsageError("icecore image run: --env " + entry + ": must be K=V");
    }
    wishes.details.push_back("env " + entry);
  }
  for (const auto& word : invocation.all("arg")) wishes.details.push_back("arg " + word);
  return wishes;
}

void announce(const Invocation& invocation, const std::vector<int>& pids) {
  write_pid_file(invocation.text("pidfile"), pids);
  for (const int pid : pids) {
    invocation.note(invocation.argument(0) + " runs as process " + std::to_string(pid));
  }
  notify_service_manager("READY=1");
}

int run_one(const Invocation& invocation, CopyWishes wishes, int number,
            const std::function<void(int)>& started) {
  const auto store = open_store(invocation, store::Store::Access::ReadOnly);
  const auto image = replay::ImageCatalog(store.directory()).find(invocation.argument(0));
  wishes.number = number;
  for (auto& [from, to] : wishes.ports) to += number - 1;
  return run_copy(store, image, wishes, started);
}

int run(const Invocation& invocation) {
  constexpr int kMostCopies = 10000;
  const auto wishes = wishes_of(invocation);
  const int copies = parse_number("--copies", invocation.text("copies"), kMostCopies);
  if (copies == 1) {
    return run_one(invocation, wishes, 1, [&](int pid) { announce(invocation, {pid}); });
  }
  CopyCrew crew(copies, [&](int number, const std::function<void(int)>& started) {
    return run_one(invocation, wishes, number, started);
  });
  announce(invocation, crew.wait_until_started());
  return crew.wait();
}

}  // namespace

Command image_run_command() {
  return {
      .name = "image run",
      .group = Group::Image,
      .summary = "start copies of an image",
      .usage =
          "image run NAME [--copies N] [--port OLD=NEW]... [--signal SIGNAL] [--after COMMAND]",
      .description =
          "Starts the service from the moment of its image, in PID, mount and time namespaces of "
          "its own, and stays in the foreground: signals are passed on, the exit status is the "
          "service's, its standard streams are ours. Ports that it listens on are bound anew, or "
          "taken from $LISTEN_FDS when a service manager offers them; $NOTIFY_SOCKET is told when "
          "it runs.\n\n"
          "The environment and the arguments of a running program cannot be changed from outside: "
          "--env and --arg, the copy's number and its ports are in the file that the program finds "
          "in $ICECORE_COPY_FILE, which is empty while the image is built.",
      .arguments = kArguments,
      .options = kOptions,
      .examples =
          "icecore image run web --port 8080=9090\n"
          "icecore image run web --copies 20 --port 8080=9000  # 9000 to 9019\n"
          "icecore image run web --signal USR1  # the program reseeds, as it was written to",
      .run = run};
}

}  // namespace icecore::cli
