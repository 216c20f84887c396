// SPDX-License-Identifier: Apache-2.0
#include "replay/files/own_file.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/unique_fd.h"
#include "replay/restore/required_call.h"

namespace icecore::replay {
namespace {

constexpr const char* kName = "file";

/// A tmpfs that is mounted nowhere; its descriptor in `init`.
std::uint64_t detached_tmpfs(Puppet& init) {
  const std::string what = "making a tmpfs for the copy's own file";
  const auto context =
      required_call(init, what, SYS_fsopen, {text_argument(init, "tmpfs"), FSOPEN_CLOEXEC});
  required_call(init, what, SYS_fsconfig, {context, FSCONFIG_CMD_CREATE, 0, 0, 0});
  const auto mount = required_call(init, what, SYS_fsmount, {context, FSMOUNT_CLOEXEC, 0});
  required_call(init, what, SYS_close, {context});
  return mount;
}

/// From outside, through the descriptor in /proc.
void write_file(const Puppet& init, std::uint64_t mount, const std::string& text) {
  const std::string path =
      "/proc/" + std::to_string(init.pid()) + "/fd/" + std::to_string(mount) + "/" + kName;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!fd.valid() ||
      ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw_errno("writing the copy's own file");
  }
}

}  // namespace

void show_own_file(Puppet& init, const std::string& path, const std::string& text) {
  const auto mount = detached_tmpfs(init);
  write_file(init, mount, text);
  const auto tree =
      required_call(init, "opening the copy's own file", SYS_open_tree,
                    {mount, text_argument(init, kName), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC});
  constexpr std::uint64_t kBehindPath = 8;
  const auto empty = text_argument(init, "");
  const auto target = text_argument(init, path, kBehindPath);
  required_call(
      init, "mounting the copy's own file at " + path, SYS_move_mount,
      {tree, empty, static_cast<std::uint64_t>(AT_FDCWD), target, MOVE_MOUNT_F_EMPTY_PATH});
  required_call(init, "close", SYS_close, {tree});
  required_call(init, "close", SYS_close, {mount});
}

}  // namespace icecore::replay
