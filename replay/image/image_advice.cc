// SPDX-License-Identifier: Apache-2.0
#include "replay/image/image_advice.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

namespace icecore::replay {
namespace {

using Lines = std::vector<std::string>;

/// Each entry of a block of strings that end in zeros.
template <typename Visit>
void for_each_entry(std::string_view block, Visit visit) {
  while (!block.empty()) {
    const auto end = std::min(block.find('\0'), block.size());
    visit(block.substr(0, end));
    block.remove_prefix(std::min(end + 1, block.size()));
  }
}

bool names_secret(std::string_view variable) {
  constexpr std::array<std::string_view, 7> kMarks = {
      "TOKEN", "PASSWORD", "PASSWD", "SECRET", "APIKEY", "CREDENTIAL", "PRIVATE_KEY"};
  std::string name(variable);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name.ends_with("_KEY") || std::ranges::any_of(kMarks, [&](auto mark) {
           return name.find(mark) != std::string::npos;
         });
}

void advise_on_environment(const model::Snapshot& snapshot, Lines& lines) {
  std::set<std::string> secrets;
  bool has_host = false;
  for (const auto& process : snapshot.processes()) {
    for_each_entry(process.environment(), [&](std::string_view entry) {
      const auto equals = entry.find('=');
      if (equals == std::string_view::npos || equals + 1 == entry.size()) return;
      const std::string_view name = entry.substr(0, equals);
      if (names_secret(name)) secrets.emplace(name);
      has_host |= name == "HOSTNAME" || (!snapshot.machine().hostname().empty() &&
                                         entry.substr(equals + 1) == snapshot.machine().hostname());
    });
  }
  for (const auto& name : secrets) {
    lines.push_back("secret: $" + name +
                    " is in the environment, and so in the image: whoever can read the image can "
                    "read it; let the program read secrets from a file after it was started");
  }
  if (has_host) {
    lines.push_back("host: the environment names this machine (" + snapshot.machine().hostname() +
                    "); copies elsewhere will still see it");
  }
}

struct Library {
  std::string_view mark;
  std::string_view advice;
};
constexpr std::array kRandom = {
    Library{
        "/libcrypto.so",
        "OpenSSL keeps a generator in the process and seeds it anew when the pid changes, which "
        "it does not here: copies would draw the same keys; when told that it is a copy, the "
        "program must call RAND_poll() (Python: ssl.RAND_add(os.urandom(32), 32))"},
    Library{"/libgcrypt.so",
            "libgcrypt keeps a pool in the process: copies would draw the same "
            "numbers; reseed when told"},
    Library{"/libpython3",
            "the module random is seeded when it is imported: copies would draw the "
            "same numbers; call random.seed() when told (secrets and os.urandom "
            "are safe)"},
    Library{"/libjvm.so",
            "java.util.Random and SecureRandom objects made before the snapshot go on "
            "alike in all copies; make them anew when told"},
    Library{
        "/node",
        "Math.random() and crypto.randomBytes() go on alike in all copies, and node cannot seed "
        "them anew: read /dev/urandom, or start no more than one copy"},
};

bool maps(const model::Snapshot& snapshot, std::string_view mark) {
  return std::ranges::any_of(snapshot.mapped_files(), [mark](const model::MappedFile& file) {
    return file.path().find(mark) != std::string::npos;
  });
}

void advise_on_random(const model::Snapshot& snapshot, Lines& lines) {
  for (const auto& library : kRandom) {
    const bool python = library.mark == "/libpython3" && maps(snapshot, "/bin/python3");
    if (maps(snapshot, library.mark) || python) {
      lines.push_back("random: " + std::string(library.advice));
    }
  }
}

bool is_written(const model::OpenFile& file) {
  return file.kind() == model::OpenFile::REGULAR && (file.flags() & O_ACCMODE) != O_RDONLY;
}

void advise_on_files(const model::Snapshot& snapshot, Lines& lines) {
  for (const auto& file : snapshot.open_files()) {
    const std::string& path = file.target();
    if (is_written(file)) {
      lines.push_back("file: " + path +
                      " is open for writing: each copy writes a private one, which ends with it; "
                      "write logs to stdout instead");
    }
    if (file.kind() == model::OpenFile::SOCKET && file.socket().local_text().starts_with("/") &&
        file.socket().state() == "LISTEN") {
      lines.push_back("socket: it listens at " + file.socket().local_text() +
                      ", which only one copy can have");
    }
  }
  for (const auto& process : snapshot.processes()) {
    const std::string& here = process.working_directory();
    if (here.starts_with("/tmp/") || here.starts_with("/run/")) {
      lines.push_back("directory: process " + std::to_string(process.pid()) + " is in " + here +
                      ", which may be gone when a copy starts");
    }
  }
}

/// The number that the file begins with; 0 when it is none.
int number_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  int number = 0;
  in >> number;
  return number;
}

/// In the usual places, and where the command lines say.
void advise_on_pid_files(const model::Snapshot& snapshot, Lines& lines) {
  std::set<int> pids;
  std::set<std::filesystem::path> places{"/run"};
  std::set<std::filesystem::path> files;
  for (const auto& process : snapshot.processes()) {
    pids.insert(process.pid());
    places.insert(process.working_directory());
    for_each_entry(process.command_line(), [&](std::string_view word) {
      if (word.ends_with(".pid")) files.insert(word.substr(word.find_last_of("= ") + 1));
    });
  }
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/run", none)) {
    if (entry.is_directory(none)) places.insert(entry.path());
  }
  for (const auto& place : places) {
    for (const auto& entry : std::filesystem::directory_iterator(place, none)) {
      if (entry.path().extension() == ".pid" && entry.is_regular_file(none)) {
        files.insert(entry.path());
      }
    }
  }
  for (const auto& file : files) {
    if (!pids.contains(number_in(file))) continue;
    lines.push_back("pid file: " + file.string() + " names process " +
                    std::to_string(number_in(file)) +
                    ", which outside of its copy is nobody or somebody else; icecore image run "
                    "--pidfile FILE writes the right one");
  }
}

bool waits_for_calendar(const model::OpenFile& file) {
  bool calendar = false;
  bool absolute = false;
  bool set = false;
  for (const auto& line : file.fdinfo()) {
    calendar |= line == "clockid: 0" || line == "clockid: 8";  // CLOCK_REALTIME, its _ALARM
    absolute |= line.starts_with("settime flags: ") && (line.back() - '0') % 2 == 1;
    set |= line.starts_with("it_value: (") && !line.starts_with("it_value: (0, 0)");
  }
  return calendar && absolute && set;
}

void advise_on_times(const model::Snapshot& snapshot, Lines& lines) {
  const auto timers = std::ranges::count_if(snapshot.open_files(), waits_for_calendar);
  if (timers > 0) {
    lines.push_back("time: " + std::to_string(timers) +
                    " of its timers wait for a moment of the calendar; in copies that start later "
                    "they expire at once");
  }
}

void advise_on_machine(const model::Snapshot& snapshot, Lines& lines) {
  if (maps(snapshot, "/libjvm.so")) {
    lines.push_back(
        "machine: the JVM has taken its heap and thread pools from the memory and CPUs "
        "of this machine: give -Xmx and -XX:ActiveProcessorCount when copies run "
        "elsewhere or with --mem and --cpu");
  }
}

}  // namespace

std::vector<std::string> image_advice(const model::Snapshot& snapshot) {
  Lines lines;
  advise_on_environment(snapshot, lines);
  advise_on_random(snapshot, lines);
  advise_on_files(snapshot, lines);
  advise_on_pid_files(snapshot, lines);
  advise_on_times(snapshot, lines);
  advise_on_machine(snapshot, lines);
  return lines;
}

}  // namespace icecore::replay
