// SPDX-License-Identifier: Apache-2.0
#include "snapshot/view_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "snapshot/link_map.h"
#include "snapshot/view_proc_text.h"

namespace icecore::snapshot {
namespace {

/// A debugger has a handful open; one that never closes any is not given more.
constexpr std::size_t kMostOpenFiles = 1024;
constexpr std::string_view kProc = "/proc/";

[[noreturn]] void fail(std::string_view path, int errno_value) {
  throw gdbstub::HostFileError(std::string(path) + ": " + std::strerror(errno_value), errno_value);
}

/// The number that `path` begins with, which is cut off with the slash behind it.
std::optional<std::int32_t> take_number(std::string_view& path) {
  std::int32_t number = 0;
  const auto [end, failure] = std::from_chars(path.data(), path.data() + path.size(), number);
  if (failure != std::errc() || number <= 0) return std::nullopt;
  path.remove_prefix(static_cast<std::size_t>(end - path.data()));
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  return number;
}

struct ProcPath {
  gdbstub::ThreadId thread;
  std::string_view name;
};
/// "/proc/PID/NAME" and "/proc/PID/task/TID/NAME".
std::optional<ProcPath> parse_proc_path(std::string_view path) {
  constexpr std::string_view kTask = "task/";
  if (!path.starts_with(kProc)) return std::nullopt;
  path.remove_prefix(kProc.size());
  const auto pid = take_number(path);
  if (!pid) return std::nullopt;
  if (!path.starts_with(kTask)) return ProcPath{{*pid, *pid}, path};
  path.remove_prefix(kTask.size());
  const auto tid = take_number(path);
  if (!tid) return std::nullopt;
  return ProcPath{{*pid, *tid}, path};
}

/// ".../.build-id/ab/cdef.debug" for a build-id.
std::string build_id_path(const std::string& build_id) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string path = "/.build-id/";
  for (std::size_t i = 0; i < build_id.size(); ++i) {
    const auto byte = static_cast<unsigned char>(build_id[i]);
    path += kDigits[byte >> 4U];
    path += kDigits[byte & 0xfU];
    if (i == 0) path += '/';
  }
  return path + ".debug";
}

}  // namespace

ViewFiles::OpenFile ViewFiles::open_held(const model::MappedFile& file,
                                         const std::string& content) const {
  auto stored = moment_.snapshot().open_content(content);
  if (!stored) fail(file.path(), ENOENT);
  gdbstub::HostFileStatus status;
  const auto& identity = file.identity();
  status.device = identity.device();
  status.inode = identity.inode();
  status.mode = identity.mode() == 0 ? S_IFREG | 0444U : identity.mode();
  status.links = std::max(identity.links(), 1U);
  status.uid = identity.uid();
  status.gid = identity.gid();
  status.mtime = identity.mtime_ns() / 1'000'000'000;
  status.size = stored->size();
  return {*std::move(stored), status};
}

ViewFiles::OpenFile ViewFiles::open_proc(std::string_view path) const {
  const auto parsed = parse_proc_path(path);
  if (!parsed) fail(path, ENOENT);
  const model::Process* process = moment_.snapshot().find_process(parsed->thread.pid);
  const model::Thread* thread = moment_.find_thread(parsed->thread);
  if (process == nullptr || thread == nullptr) fail(path, ENOENT);
  auto text = proc_file_text(moment_.snapshot(), *process, *thread, parsed->name);
  if (!text) {
    const auto target = proc_link_target(moment_.model(), *process, parsed->name);
    if (!target) fail(path, ENOENT);
    return find(*target);  // opening /proc/PID/exe opens the program
  }
  gdbstub::HostFileStatus status;
  status.mode = S_IFREG | 0444;
  return {*std::move(text), status};  // its size is 0, as in /proc
}

ViewFiles::OpenFile ViewFiles::find(std::string_view path) const {
  if (path.starts_with(kProc)) return open_proc(path);
  for (const model::MappedFile& file : moment_.model().mapped_files()) {
    if (file.path() == path && !file.content().empty()) return open_held(file, file.content());
  }
  for (const model::MappedFile& file : moment_.model().mapped_files()) {
    if (file.debug_content().empty()) continue;
    const bool by_id = !file.build_id().empty() && path.ends_with(build_id_path(file.build_id()));
    if (by_id || file.debug_path() == path) return open_held(file, file.debug_content());
  }
  const model::MappedFile* loaded = loaded_as(path);
  if (loaded != nullptr && !loaded->content().empty()) return open_held(*loaded, loaded->content());
  fail(path, ENOENT);
}

const model::MappedFile* ViewFiles::loaded_as(std::string_view name) const {
  for (const model::Process& process : moment_.model().processes()) {
    const auto list = LinkMap(moment_.snapshot(), process).libraries();
    for (const gdbstub::Library& library : list.libraries) {
      if (library.name != name) continue;
      const auto* mapping = StoredSnapshot::find_mapping(process, library.dynamic);
      if (mapping != nullptr && mapping->file() != 0) {
        return &moment_.model().mapped_files(static_cast<int>(mapping->file()) - 1);
      }
    }
  }
  return nullptr;
}

int ViewFiles::open(const OpenRequest& request) {
  if ((request.flags & O_ACCMODE) != O_RDONLY || (request.flags & (O_CREAT | O_TRUNC)) != 0) {
    fail(request.path, EROFS);
  }
  if (open_.size() >= kMostOpenFiles) fail(request.path, EMFILE);
  OpenFile file = find(request.path);
  int descriptor = 3;
  while (open_.contains(descriptor)) ++descriptor;
  open_.emplace(descriptor, std::move(file));
  return descriptor;
}

ViewFiles::OpenFile& ViewFiles::opened(int descriptor) {
  const auto found = open_.find(descriptor);
  if (found == open_.end()) fail("file descriptor " + std::to_string(descriptor), EBADF);
  return found->second;
}

void ViewFiles::close(int descriptor) {
  opened(descriptor);
  open_.erase(descriptor);
}

std::vector<std::byte> ViewFiles::read(int descriptor, std::size_t count, std::uint64_t offset) {
  const OpenFile& file = opened(descriptor);
  std::vector<std::byte> bytes(count);
  if (const auto* stored = std::get_if<store::StoredFile>(&file.content)) {
    bytes.resize(offset < stored->size() ? stored->read(offset, bytes) : 0);
    return bytes;
  }
  const std::string& text = std::get<std::string>(file.content);
  const std::size_t from = std::min<std::uint64_t>(offset, text.size());
  bytes.resize(std::min(count, text.size() - from));
  std::memcpy(bytes.data(), text.data() + from, bytes.size());
  return bytes;
}

std::size_t ViewFiles::write(int descriptor, std::span<const std::byte>, std::uint64_t) {
  opened(descriptor);
  fail("file descriptor " + std::to_string(descriptor), EROFS);
}

gdbstub::HostFileStatus ViewFiles::status(int descriptor) { return opened(descriptor).status; }

std::string ViewFiles::read_link(std::int32_t, std::string_view path) {
  const auto parsed = parse_proc_path(path);
  if (!parsed) fail(path, moment_.snapshot().find_file(std::string(path)) ? EINVAL : ENOENT);
  const model::Process* process = moment_.snapshot().find_process(parsed->thread.pid);
  if (process == nullptr) fail(path, ENOENT);
  const auto target = proc_link_target(moment_.model(), *process, parsed->name);
  if (!target) fail(path, ENOENT);
  return *target;
}

void ViewFiles::unlink(std::int32_t, std::string_view path) { fail(path, EROFS); }

}  // namespace icecore::snapshot
