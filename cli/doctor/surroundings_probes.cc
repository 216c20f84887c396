// SPDX-License-Identifier: Apache-2.0
// What else icecore works with: debuggers and the cgroup freezer.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/unique_fd.h"
#include "cli/debugger.h"
#include "cli/doctor/probe.h"
#include "cli/doctor/probe_child.h"

namespace icecore::cli::doctor {
namespace {

constexpr int kFreezeTimeoutMs = 2000;

/// Where cgroup v2 is mounted: not always /sys/fs/cgroup. Empty when it is nowhere.
std::string cgroup2_mount() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 5; ++i) fields >> field;
    return field;
  }
  return {};
}

/// Our own place below the mount.
std::string own_cgroup() {
  std::ifstream lines("/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return "/";
}

/// A cgroup that is there for the length of a probe.
class ScratchCgroup {
 public:
  explicit ScratchCgroup(std::filesystem::path path) : path_(std::move(path)) {
    made_ = std::filesystem::create_directory(path_, error_);
  }
  ScratchCgroup(const ScratchCgroup&) = delete;
  ScratchCgroup& operator=(const ScratchCgroup&) = delete;
  ~ScratchCgroup() {
    if (made_) ::rmdir(path_.c_str());
  }
  [[nodiscard]] bool made() const { return made_; }
  [[nodiscard]] std::string why_not() const { return path_.string() + ": " + error_.message(); }

  bool write(const char* file, const std::string& text) const {
    std::ofstream out(path_ / file);
    return static_cast<bool>(out << text << std::flush);
  }
  [[nodiscard]] bool wait_until_frozen() const {
    const UniqueFd events(::open((path_ / "cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
    while (true) {
      std::array<char, 256> text{};
      if (::pread(events.get(), text.data(), text.size() - 1, 0) < 0) return false;
      if (std::string_view(text.data()).find("frozen 1") != std::string_view::npos) return true;
      pollfd change{events.get(), POLLPRI, 0};
      if (::poll(&change, 1, kFreezeTimeoutMs) <= 0) return false;
    }
  }

 private:
  std::filesystem::path path_;
  bool made_ = false;
  std::error_code error_;
};

Finding freeze_by_cgroup() {
  const std::string mount = cgroup2_mount();
  if (mount.empty()) return fails("cgroup v2 is not mounted");
  const ScratchCgroup scratch(mount + own_cgroup() + "/icecore-doctor-" +
                              std::to_string(::getpid()));
  if (!scratch.made()) return fails(scratch.why_not());
  const ProbeChild child;  // goes before the cgroup does
  if (!scratch.write("cgroup.procs", std::to_string(child.pid()))) {
    return fails_with_errno("move a process into a cgroup below " + mount);
  }
  const bool frozen = scratch.write("cgroup.freeze", "1") && scratch.wait_until_frozen();
  scratch.write("cgroup.freeze", "0");
  return frozen ? works("at " + mount) : fails("a process below " + mount + " could not be frozen");
}

Finding debugger(const std::optional<std::string>& path) {
  if (!path) return fails("not found along $PATH");
  const std::string version = first_line_of({*path, "--version"});
  if (version.empty()) return fails(*path + " --version: does not run");
  return works(*path + ": " + version);
}

constexpr std::array kProbes = {
    Probe{
        "cgroup v2 freezer", Need::Useful, "can hold a tree of many processes still as a whole",
        "nothing but time on large trees: icecore freezes by ptrace alone",
        "run icecore as root, or in a delegated cgroup: systemd-run --user --scope -p Delegate=yes "
        "icecore ...",
        freeze_by_cgroup},
    Probe{"gdb", Need::Useful, "`icecore gdb` opens snapshots in it",
          "`icecore gdb` does not work; `icecore bt`, `dis` and `show` do", "sudo apt install gdb",
          [] { return debugger(find_gdb()); }},
    Probe{"lldb", Need::Useful, "`icecore gdb --lldb` opens snapshots in it",
          "`icecore gdb --lldb` does not work", "sudo apt install lldb-19",
          [] { return debugger(find_lldb()); }},
};

}  // namespace

std::span<const Probe> surroundings_probes() { return kProbes; }

}  // namespace icecore::cli::doctor
