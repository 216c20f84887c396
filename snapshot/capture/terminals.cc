// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/terminals.h"

#include <asm/termbits.h>
#include <linux/major.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include <string>

namespace icecore::snapshot {
namespace {

template <typename Struct>
std::string bytes_of(const Struct& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

int pty_index(int borrowed, const model::OpenFile& file) {
  unsigned index = 0;
  if (::ioctl(borrowed, TIOCGPTN, &index) == 0) return static_cast<int>(index);  // a master
  const unsigned major = gnu_dev_major(file.identity().rdev());
  if (major < UNIX98_PTY_SLAVE_MAJOR || major >= UNIX98_PTY_SLAVE_MAJOR + 8) return -1;
  return static_cast<int>(gnu_dev_minor(file.identity().rdev()) +
                          (major - UNIX98_PTY_SLAVE_MAJOR) * 256);
}

}  // namespace

void capture_terminal(int borrowed, model::OpenFile& file) {
  termios2 settings{};
  if (::ioctl(borrowed, TCGETS2, &settings) == 0) file.set_termios(bytes_of(settings));
  winsize size{};
  if (::ioctl(borrowed, TIOCGWINSZ, &size) == 0) file.set_winsize(bytes_of(size));
  int unread = 0;
  if (::ioctl(borrowed, FIONREAD, &unread) == 0 && unread > 0) {
    file.set_unread_bytes(static_cast<std::uint64_t>(unread));
  }
  file.set_pty_index(pty_index(borrowed, file));
}

}  // namespace icecore::snapshot
