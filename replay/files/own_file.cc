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
  CallBatch batch(init, init.pid());
  std::int64_t mount = 0;
  batch.add(SYS_fsconfig, {context, FSCONFIG_CMD_CREATE, 0, 0, 0}, what);
  batch.add(SYS_fsmount, {context, FSMOUNT_CLOEXEC, 0}, [&](std::int64_t made) { mount = made; });
  batch.add(SYS_close, {context}, what);
  batch.run();
  if (mount < 0) throw_errno(what, static_cast<int>(-mount));
  return static_cast<std::uint64_t>(mount);
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
  CallBatch batch(init, init.pid());
  const auto empty = batch.put_text("");
  const auto target = batch.put_text(path);
  batch.add(SYS_move_mount,
            {tree, empty, static_cast<std::uint64_t>(AT_FDCWD), target, MOVE_MOUNT_F_EMPTY_PATH},
            "mounting the copy's own file at " + path);
  batch.add(SYS_close, {tree}, "close");
  batch.add(SYS_close, {mount}, "close");
  batch.run();
}

}  // namespace icecore::replay
