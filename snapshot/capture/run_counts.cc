// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/run_counts.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

UniqueFd open_schedstat(int pid, int tid) {
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/schedstat";
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

std::optional<std::uint64_t> read_run_count(int fd) {
  std::array<char, 80> text;
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  if (size <= 0) return std::nullopt;
  std::string_view line(text.data(), static_cast<std::size_t>(size));
  line = proc::take_line(line);
  proc::take_word(line);
  proc::take_word(line);
  const auto count = proc::to_number<std::uint64_t>(proc::take_word(line));
  // "0 0 0": not counted. A thread that lives has run.
  return count && *count != 0 ? count : std::nullopt;
}

}  // namespace

RunCounts::RunCounts() : most_(0) {
  rlimit limit{};
  // The other half is for write watches, files and borrowed descriptors.
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) most_ = limit.rlim_cur / 2;
}

std::optional<std::uint64_t> RunCounts::count(int pid, int tid) {
  const auto known = files_.find(tid);
  if (known != files_.end()) {
    if (const auto count = read_run_count(known->second.get())) return count;
    files_.erase(known);
  }
  UniqueFd file = open_schedstat(pid, tid);
  if (!file.valid()) return std::nullopt;
  const auto count = read_run_count(file.get());
  if (count && files_.size() < most_) files_.emplace(tid, std::move(file));
  return count;
}

void RunCounts::keep_only(const std::set<int>& tids) {
  std::erase_if(files_, [&](const auto& entry) { return !tids.contains(entry.first); });
}

}  // namespace icecore::snapshot
