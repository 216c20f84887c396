// SPDX-License-Identifier: Apache-2.0
#include "replay/files/private_view.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/log.h"
#include "replay/files/tree_path.h"
#include "snapshot/proc/mountinfo.h"

namespace icecore::replay {
namespace {

// The layers' tmpfs lies here until the overlays have it: any directory will do that is sure to be
// there and whose own contents nobody needs meanwhile.
constexpr const char* kPassingPlace = "/proc";

bool is_inside(const std::string& path, const std::string& directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

/// In options of overlayfs, of mount(2).
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == '\\' || c == ',' || c == ':') text += '\\';
    text += c;
  }
  return text;
}

bool is_written_by_path(const model::OpenFile& file) {
  return file.kind() == model::OpenFile::REGULAR && (file.flags() & O_PATH) == 0 &&
         (file.flags() & O_ACCMODE) != O_RDONLY && file.target().starts_with('/');
}

/// The mounts directly inside `directory`: not those inside of others.
std::vector<std::string> mounts_inside(int pid, const std::string& directory) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/mountinfo");
  std::stringstream text;
  text << file.rdbuf();
  std::set<std::string> found;
  for (const auto& mount : snapshot::proc::parse_mountinfo(text.str())) {
    if (mount.mount_point != directory && is_inside(mount.mount_point, directory)) {
      found.insert(mount.mount_point);
    }
  }
  std::vector<std::string> outer;
  for (const auto& path : found) {
    const bool nested = !outer.empty() && std::ranges::any_of(outer, [&](const std::string& other) {
      return is_inside(path, other);
    });
    if (!nested) outer.push_back(path);
  }
  return outer;
}

/// The root of an overlay looks as its upper layer does.
void imitate(Puppet& init, const std::string& directory, const std::string& upper) {
  struct stat status {};
  const std::string path = "/proc/" + std::to_string(init.pid()) + "/root" + directory;
  if (::stat(path.c_str(), &status) != 0) throw_errno("stat " + directory);
  CallBatch batch(init, init.pid());
  const auto name = batch.put_text(upper);
  batch.add(SYS_chown, {name, status.st_uid, status.st_gid}, "chown " + upper);
  batch.add(SYS_chmod, {name, status.st_mode & 07777U}, "chmod " + upper);
  batch.run();
}

void cover(Puppet& init, const std::string& directory, const std::string& layers) {
  CallBatch batch(init, init.pid());
  const auto upper = layers + "/upper";
  const auto work = layers + "/work";
  for (const auto& made : {layers, upper, work}) {
    const auto path = batch.put_text(made);
    batch.add(SYS_mkdir, {path, 0755}, "mkdir " + made);
  }
  batch.run();
  imitate(init, directory, upper);
  const auto inside = mounts_inside(init.pid(), directory);
  std::vector<std::int64_t> trees;
  for (const auto& mount : inside) {
    const auto path = batch.put_text(mount);
    constexpr auto kFlags = OPEN_TREE_CLONE | AT_RECURSIVE | OPEN_TREE_CLOEXEC;
    batch.add(SYS_open_tree, {static_cast<std::uint64_t>(AT_FDCWD), path, kFlags},
              [&trees, mount](std::int64_t result) {
                if (result < 0) throw_errno("open_tree " + mount, static_cast<int>(-result));
                trees.push_back(result);
              });
  }
  const auto type = batch.put_text("overlay");
  const auto target = batch.put_text(directory);
  const auto options = batch.put_text("lowerdir=" + escaped(directory) +
                                      ",upperdir=" + escaped(upper) + ",workdir=" + escaped(work));
  batch.add(SYS_mount, {type, target, type, 0, options}, "mounting an overlay over " + directory);
  batch.run();
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const auto empty = batch.put_text("");
    const auto path = batch.put_text(inside[i]);
    const auto tree = static_cast<std::uint64_t>(trees[i]);
    batch.add(SYS_move_mount,
              {tree, empty, static_cast<std::uint64_t>(AT_FDCWD), path, MOVE_MOUNT_F_EMPTY_PATH},
              "moving the mount " + inside[i]);
    batch.add(SYS_close, {tree}, "close");
  }
  batch.run();
}

std::vector<std::string> topmost_of(const std::set<std::string>& wanted) {
  std::vector<std::string> topmost;
  for (const auto& path : wanted) {
    const bool nested = std::ranges::any_of(
        topmost, [&](const std::string& other) { return is_inside(path, other); });
    if (!nested) topmost.push_back(path);
  }
  return topmost;
}

std::set<std::string> directories_of_written_files(const model::Snapshot& snapshot) {
  std::set<std::string> wanted;
  for (const auto& file : snapshot.open_files()) {
    if (is_written_by_path(file)) wanted.insert(directory_of(file.target()));
  }
  for (const auto& object : snapshot.shared_objects()) {
    const bool is_file =
        object.kind() == model::SharedObject::FILE || object.kind() == model::SharedObject::TMPFS;
    if (is_file) wanted.insert(directory_of(object.name()));
  }
  return wanted;
}

/// Where what was at `path` would be, as far as it is still there.
std::string existing_part(std::string path) {
  std::error_code failure;
  while (path != "/" && !std::filesystem::is_directory(path, failure)) path = directory_of(path);
  return path;
}

void cover_if_possible(Puppet& init, const std::string& directory, const std::string& layers) {
  try {
    cover(init, directory, layers);
  } catch (const Error& error) {
    log(Topic::Tracing, "no private view of " + directory + ": " + error.what());
  }
}

}  // namespace

std::vector<std::string> private_directories(const model::Snapshot& snapshot) {
  return topmost_of(directories_of_written_files(snapshot));
}

SandboxDirectories sandbox_directories(const model::Snapshot& snapshot) {
  constexpr std::string_view kDeleted = " (deleted)";
  std::set<std::string> needed;
  for (const auto& path : directories_of_written_files(snapshot))
    needed.insert(existing_part(path));
  std::set<std::string> wished;
  for (const char* path : {"/tmp", "/var/tmp", "/dev/shm", "/run"}) {
    if (existing_part(path) == path) wished.insert(path);
  }
  for (const auto& file : snapshot.open_files()) {
    const std::string& name = file.socket().local_text();
    if (file.has_socket() && name.starts_with('/')) {
      needed.insert(existing_part(directory_of(name)));
    }
  }
  for (const auto& process : snapshot.processes()) {
    const std::string& path = process.working_directory();
    if (path.ends_with(kDeleted)) {
      wished.insert(existing_part(path.substr(0, path.size() - kDeleted.size())));
    }
  }
  for (auto* directories : {&needed, &wished}) directories->erase("/");
  std::set<std::string> all = needed;
  all.insert(wished.begin(), wished.end());
  SandboxDirectories result;
  for (const auto& path : topmost_of(all)) {
    const bool asked = std::ranges::any_of(
        needed, [&](const std::string& inner) { return is_inside(inner, path); });
    (asked ? result.needed : result.wished).push_back(path);
  }
  return result;
}

void forbid_writing(Puppet& init) {
  CallBatch batch(init, init.pid());
  const auto root = batch.put_text("/");
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  const auto wanted = batch.put_struct(attributes);
  // Since Linux 5.12.
  batch.add(SYS_mount_setattr,
            {static_cast<std::uint64_t>(AT_FDCWD), root, AT_RECURSIVE, wanted, sizeof attributes},
            "making the machine's files read-only");
  batch.run();
}

void forbid_settings(Puppet& init) {
  CallBatch batch(init, init.pid());
  for (const char* name : {"/proc/sys", "/proc/sysrq-trigger"}) {
    if (::access(name, F_OK) != 0) continue;  // not every kernel has both
    const auto path = batch.put_text(name);
    batch.add(SYS_mount, {path, path, 0, MS_BIND, 0}, std::string("covering ") + name);
    constexpr std::uint64_t kReadOnly = MS_REMOUNT | MS_BIND | MS_RDONLY;
    batch.add(SYS_mount, {0, path, 0, kReadOnly, 0}, std::string("making read-only ") + name);
  }
  batch.run();
}

void make_private_view(Puppet& init, const std::vector<std::string>& directories,
                       const std::vector<std::string>& wished) {
  if (directories.empty() && wished.empty()) return;
  {
    CallBatch batch(init, init.pid());
    const auto type = batch.put_text("tmpfs");
    const auto place = batch.put_text(kPassingPlace);
    const auto mode = batch.put_text("mode=700");
    batch.add(SYS_mount, {type, place, type, MS_NOSUID, mode}, "mounting a tmpfs");
    batch.run();
  }
  for (std::size_t i = 0; i < directories.size(); ++i) {
    if (directories[i] == "/") throw Refused("files directly in / cannot be made private");
    cover(init, directories[i], kPassingPlace + ("/" + std::to_string(i)));
  }
  for (std::size_t i = 0; i < wished.size(); ++i) {
    cover_if_possible(init, wished[i], kPassingPlace + ("/wished" + std::to_string(i)));
  }
  CallBatch batch(init, init.pid());
  const auto place = batch.put_text(kPassingPlace);
  batch.add(SYS_umount2, {place, MNT_DETACH}, "unmounting the tmpfs");
  batch.run();
}

}  // namespace icecore::replay
