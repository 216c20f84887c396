// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/task_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "base/unique_fd.h"
#include "snapshot/proc/syscall.h"

namespace icecore::snapshot {
namespace {

std::string task_path(int pid, int tid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/" + file;
}

/// The kernel writes some files in one piece: what did not fill the buffer was all.
enum class Shape { OnePiece, List };

/// The whole file, or empty when it (or the task) is gone.
std::string read_small(const std::string& path, Shape shape = Shape::OnePiece) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!fd.valid()) return text;
  std::array<char, 4096> buffer;
  for (ssize_t got; (got = ::read(fd.get(), buffer.data(), buffer.size())) > 0;) {
    const auto size = static_cast<std::size_t>(got);
    text.append(buffer.data(), size);
    if (shape == Shape::OnePiece && size < buffer.size()) break;
  }
  return text;
}

std::uint64_t hex_field(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  return at == std::string_view::npos ? 0 : std::strtoull(&text[at + name.size()], nullptr, 16);
}

}  // namespace

std::string task_file(int pid, int tid, const char* name) {
  return read_small(task_path(pid, tid, name));
}

std::optional<TaskStat> task_stat(int pid, int tid) {
  const std::string text = task_file(pid, tid, "stat");
  // The name in parentheses may hold anything: the fields begin behind the last ')'.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return std::nullopt;
  TaskStat stat;
  const char* field = text.c_str() + name_end + 2;
  stat.state = *field;
  for (int number = 3; number < 22; ++number) {
    if (number == 4) stat.parent = std::atoi(field);
    while (*field != ' ' && *field != '\0') ++field;
    if (*field == ' ') ++field;
  }
  stat.start_time = std::strtoull(field, nullptr, 10);
  return stat;
}

std::vector<int> task_ids(int pid) {
  std::vector<int> tids;
  const std::string path = "/proc/" + std::to_string(pid) + "/task";
  // Not opendir(), which asks for more than is needed.
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return tids;
  alignas(dirent64) std::array<char, 8192> buffer;
  constexpr std::size_t kLongestEntry = 64;
  for (;;) {
    const long got = ::syscall(SYS_getdents64, directory.get(), buffer.data(), buffer.size());
    if (got <= 0) return tids;
    const auto size = static_cast<std::size_t>(got);
    for (std::size_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      if (entry->d_name[0] != '.') tids.push_back(std::atoi(entry->d_name));
      at += entry->d_reclen;
    }
    if (size + kLongestEntry < buffer.size()) return tids;  // there would have been room for more
  }
}

std::optional<Population> population() {
  // "0.00 0.01 0.05 1/123 4567": running and all tasks, and the newest of our pid namespace.
  const std::string text = read_small("/proc/loadavg");
  const auto slash = text.find('/');
  const auto last = text.rfind(' ');
  if (slash == std::string::npos || last == std::string::npos) return std::nullopt;
  return Population{std::atoi(&text[slash + 1]), std::atoi(&text[last + 1])};
}

std::vector<int> child_pids(int pid, int tid) {
  std::vector<int> pids;
  const std::string text = read_small(task_path(pid, tid, "children"), Shape::List);
  for (const char* at = text.c_str(); *at != '\0';) {
    char* end = nullptr;
    const long child = std::strtol(at, &end, 10);
    if (end == at) break;
    pids.push_back(static_cast<int>(child));
    at = end;
    while (*at == ' ') ++at;
  }
  return pids;
}

std::optional<int> thread_group(int tid) {
  const std::string text = read_small("/proc/" + std::to_string(tid) + "/status");
  const auto at = text.find("\nTgid:");
  if (at == std::string::npos) return std::nullopt;
  return std::atoi(&text[at + 6]);
}

int innermost_id(int pid, int tid) {
  const std::string text = task_file(pid, tid, "status");
  const auto line = text.find("\nNSpid:");
  if (line == std::string::npos) return 0;
  const auto last = text.find_last_of("\t ", text.find('\n', line + 1));
  return std::atoi(&text[last + 1]);
}

int last_cpu(int pid, int tid) {
  const std::string text = task_file(pid, tid, "stat");
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return -1;
  constexpr int kProcessorField = 39;
  std::size_t at = name_end + 2;
  for (int number = 3; number < kProcessorField && at != std::string::npos; ++number) {
    at = text.find(' ', at);
    if (at != std::string::npos) ++at;
  }
  return at == std::string::npos ? -1 : std::atoi(&text[at]);
}

std::optional<long> task_syscall(int pid, int tid) {
  const auto line = proc::parse_syscall(task_file(pid, tid, "syscall"));
  if (line.where != proc::SyscallLine::Where::SystemCall) return std::nullopt;
  return static_cast<long>(line.number);
}

std::optional<std::uint64_t> task_stack_pointer(int pid, int tid) {
  const auto line = proc::parse_syscall(task_file(pid, tid, "syscall"));
  if (line.where == proc::SyscallLine::Where::Running) return std::nullopt;
  return line.stack_pointer;
}

std::optional<TaskSignals> task_signals(int pid, int tid) {
  const std::string text = task_file(pid, tid, "status");
  if (text.empty()) return std::nullopt;
  TaskSignals signals;
  signals.caught = hex_field(text, "SigCgt:");
  signals.ignored = hex_field(text, "SigIgn:");
  const auto seccomp = text.find("\nSeccomp:");
  if (seccomp != std::string::npos) signals.seccomp = std::atoi(&text[seccomp + 9]);
  const auto tracer = text.find("TracerPid:");
  if (tracer != std::string::npos) signals.tracer = std::atoi(&text[tracer + 10]);
  return signals;
}

}  // namespace icecore::snapshot
