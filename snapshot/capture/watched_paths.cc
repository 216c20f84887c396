// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/watched_paths.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/mountinfo.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

using model::OpenFile;

struct Line {
  int watch = 0;
  unsigned mask = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  int handle_type = 0;
  std::string handle;
};

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(
        static_cast<char>(proc::to_number<unsigned char>(text.substr(i, 2), 16).value_or(0)));
  }
  return bytes;
}

// "inotify wd:1 ino:2 sdev:800001 mask:100 ignored_mask:0 fhandle-bytes:8 fhandle-type:1
// f_handle:0200000000000000": all hexadecimal; sdev is the kernel's own dev_t.
// Of fanotify: "fanotify ino:2 sdev:800001 mflags:0 mask:8 ..."; marks of mounts and file systems
// have no ino.
std::optional<Line> parse_line(std::string_view text) {
  const std::string_view kind = proc::take_word(text);
  const bool on_inode = kind == "fanotify" && text.find("ino:") != std::string_view::npos;
  if (kind != "inotify" && !on_inode) return std::nullopt;
  Line line;
  for (auto word = proc::take_word(text); !word.empty(); word = proc::take_word(text)) {
    const auto colon = word.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = word.substr(0, colon);
    const std::string_view value = word.substr(colon + 1);
    const std::uint64_t number = proc::to_number<std::uint64_t>(value, 16).value_or(0);
    constexpr unsigned kMinorBits = 20;
    if (name == "wd") line.watch = static_cast<int>(number);
    if (name == "mask") line.mask = static_cast<unsigned>(number);
    if (name == "ino") line.inode = number;
    if (name == "fhandle-type") line.handle_type = static_cast<int>(number);
    if (name == "f_handle") line.handle = from_hex(value);
    if (name == "sdev") {
      line.device = gnu_dev_makedev(static_cast<unsigned>(number >> kMinorBits),
                                    static_cast<unsigned>(number & ((1U << kMinorBits) - 1)));
    }
  }
  return line;
}

class PathSearch {
 public:
  explicit PathSearch(const model::Snapshot& snapshot) : snapshot_(snapshot) {
    if (const auto root = ProcDirectory::open(snapshot.root_pid())) {
      root_ = "/proc/" + std::to_string(root->pid()) + "/root";
      const auto text = root->read("mountinfo");
      if (text) mounts_ = proc::parse_mountinfo(*text);
    }
  }

  std::string find(const Line& line) const {
    std::string path = by_handle(line);
    if (path.empty()) path = among_known(line);
    return path;
  }

 private:
  [[nodiscard]] bool is_at(const Line& line, const std::string& path) const {
    struct ::stat status {};
    return !path.empty() && ::lstat((root_ + path).c_str(), &status) == 0 &&
           status.st_ino == line.inode;
  }

  [[nodiscard]] std::string by_handle(const Line& line) const {
    constexpr std::size_t kRoom = 128;
    alignas(file_handle) char buffer[sizeof(file_handle) + kRoom];
    if (line.handle.empty() || line.handle.size() > kRoom) return {};
    auto* const handle = reinterpret_cast<file_handle*>(buffer);
    handle->handle_bytes = static_cast<unsigned>(line.handle.size());
    handle->handle_type = line.handle_type;
    std::memcpy(handle->f_handle, line.handle.data(), line.handle.size());
    for (const proc::Mount& mount : mounts_) {
      if (mount.device != line.device) continue;
      const UniqueFd place(
          ::open((root_ + mount.mount_point).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!place.valid()) continue;
      const UniqueFd found(::open_by_handle_at(place.get(), handle, O_PATH | O_CLOEXEC));
      if (!found.valid()) continue;
      char path[PATH_MAX];
      const std::string link = "/proc/self/fd/" + std::to_string(found.get());
      const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
      const std::string text(path, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
      if (is_at(line, text)) return text;
    }
    return {};
  }

  // File systems without handles, and callers without the right to use them.
  [[nodiscard]] std::string among_known(const Line& line) const {
    for (const OpenFile& file : snapshot_.open_files()) {
      if (file.identity().inode() == line.inode && is_at(line, file.target())) return file.target();
    }
    for (const auto& process : snapshot_.processes()) {
      for (const std::string& path : {process.working_directory(), process.root_directory()}) {
        if (is_at(line, path)) return path;
      }
    }
    for (const model::MappedFile& file : snapshot_.mapped_files()) {
      for (std::string path = file.path(); path.size() > 1;) {
        if (is_at(line, path)) return path;
        path.resize(std::max<std::size_t>(path.rfind('/'), 1));
      }
    }
    return {};
  }

  const model::Snapshot& snapshot_;
  std::string root_;
  std::vector<proc::Mount> mounts_;
};

}  // namespace

void find_watched_paths(model::Snapshot& snapshot) {
  const auto watches = [](const OpenFile& file) {
    return file.kind() == OpenFile::INOTIFY || file.kind() == OpenFile::FANOTIFY;
  };
  if (std::ranges::none_of(snapshot.open_files(), watches)) return;
  const PathSearch search(snapshot);
  for (OpenFile& file : *snapshot.mutable_open_files()) {
    if (!watches(file)) continue;
    for (const std::string& text : file.fdinfo()) {
      const auto line = parse_line(text);
      if (!line) continue;
      model::Watch& watch = *file.add_watches();
      watch.set_id(line->watch);
      watch.set_mask(line->mask);
      watch.set_device(line->device);
      watch.set_inode(line->inode);
      watch.set_path(search.find(*line));
    }
  }
}

}  // namespace icecore::snapshot
