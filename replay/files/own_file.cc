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

namespace icecore::replay {
namespace {

constexpr const char* kName = "file";

std::uint64_t call(Puppet& init, const std::string& what, std::int64_t number,
                   const std::array<std::uint64_t, 6>& arguments) {
  const std::int64_t result = init.call(number, arguments);
  if (result < 0) throw_errno(what, static_cast<int>(-result));
  return static_cast<std::uint64_t>(result);
}

std::uint64_t text_argument(Puppet& init, const std::string& text, std::uint64_t offset = 0) {
  init.write(init.scratch() + offset, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
  return init.scratch() + offset;
}

/// A tmpfs that is mounted nowhere; its descriptor in `init`.
std::uint64_t detached_tmpfs(Puppet& init) {
  const std::string what = "making a tmpfs for the copy's own file";
  const auto context = call(init, what, SYS_fsopen, {text_argument(init, "tmpfs"), FSOPEN_CLOEXEC});
  call(init, what, SYS_fsconfig, {context, FSCONFIG_CMD_CREATE, 0, 0, 0});
  const auto mount = call(init, what, SYS_fsmount, {context, FSMOUNT_CLOEXEC, 0});
  call(init, what, SYS_close, {context});
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
  const auto tree = call(init, "opening the copy's own file", SYS_open_tree,
                         {mount, text_argument(init, kName), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC});
  constexpr std::uint64_t kBehindPath = 8;
  const auto empty = text_argument(init, "");
  const auto target = text_argument(init, path, kBehindPath);
  call(init, "mounting the copy's own file at " + path, SYS_move_mount,
       {tree, empty, static_cast<std::uint64_t>(AT_FDCWD), target, MOVE_MOUNT_F_EMPTY_PATH});
  call(init, "close", SYS_close, {tree});
  call(init, "close", SYS_close, {mount});
}

}  // namespace icecore::replay
