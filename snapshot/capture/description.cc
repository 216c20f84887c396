// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/description.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/error.h"
#include "snapshot/capture/file_identity.h"
#include "snapshot/capture/file_kind.h"
#include "snapshot/capture/posix_queues.h"
#include "snapshot/capture/sockets.h"
#include "snapshot/capture/terminals.h"
#include "snapshot/proc/maps.h"

namespace icecore::snapshot {
namespace {

using model::OpenFile;

void fill_common(const proc::FdInfo& info, OpenFile& file) {
  file.set_position(info.position);
  file.set_flags(info.flags & ~static_cast<unsigned>(O_CLOEXEC));
  file.set_mount_id(info.mount_id);
  for (const std::string_view line : info.extra) file.add_fdinfo(std::string(line));
}

void fill_target(const ProcDirectory& directory, int fd, OpenFile& file) {
  const std::string target = directory.read_descriptor_link(fd).value_or("");
  const auto status = directory.stat_descriptor(fd);
  if (status) fill_identity(*status, *file.mutable_identity());
  file.set_kind(file_kind(target, status.value_or(decltype(status)::value_type{})));
  std::string_view path = target;
  const bool is_path = path.starts_with('/');
  if (is_path) file.set_deleted(proc::take_deleted(path));
  file.set_target(std::string(path));
  if (file.kind() == OpenFile::REGULAR && file.identity().links() > 0) {
    const std::string link = "fd/" + std::to_string(fd);
    fill_handle(directory.shared_fd(), link.c_str(), *file.mutable_identity());
  }
}

// Who can be told of events by a signal (F_SETOWN): the kinds that programs do that with.
bool may_have_owner(const OpenFile& file) {
  switch (file.kind()) {
    case OpenFile::PIPE:
    case OpenFile::FIFO:
    case OpenFile::SOCKET:
    case OpenFile::TERMINAL:
    case OpenFile::INOTIFY:
      return true;
    default:
      return (file.flags() & O_ASYNC) != 0 || has_lease(file);
  }
}

void fill_owner(int borrowed, OpenFile& file) {
  f_owner_ex owner{};
  if (::fcntl(borrowed, F_GETOWN_EX, &owner) == 0 && owner.pid != 0) {
    file.set_owner_type(owner.type);
    file.set_owner_pid(owner.pid);
  }
  const int signal = ::fcntl(borrowed, F_GETSIG);
  if (signal > 0) file.set_owner_signal(signal);
}

// By name a file in the root directory; on its file system each has this size (FILENT_SIZE in
// ipc/mqueue.c).
bool may_be_queue(const OpenFile& file) {
  constexpr std::uint64_t kQueueSize = 80;
  return (file.kind() == OpenFile::REGULAR || file.kind() == OpenFile::MESSAGE_QUEUE) &&
         file.identity().size() == kQueueSize && file.target().rfind('/') == 0;
}

void fill_queue(int borrowed, OpenFile& file) {
  if (!is_posix_queue(borrowed)) return;
  file.set_kind(OpenFile::MESSAGE_QUEUE);
  file.mutable_posix_queue()->set_name(file.target());
  try {
    fill_posix_queue(borrowed, *file.mutable_posix_queue());
  } catch (const Error&) {
    file.clear_posix_queue();  // a restore then says that it is not known
  }
}

void fill_seals(int borrowed, OpenFile& file) {
  const int seals = ::fcntl(borrowed, F_GET_SEALS);
  if (seals < 0) return;
  char text[16];
  char* const end = std::to_chars(text, text + sizeof text, seals, 16).ptr;
  file.add_fdinfo("seals:\t0x" + std::string(text, end));
}

void fill_unread_events(int borrowed, OpenFile& file) {
  int bytes = 0;
  if (::ioctl(borrowed, FIONREAD, &bytes) == 0) {
    file.set_unread_bytes(static_cast<std::uint64_t>(bytes));
  }
}

// The file that a unix socket's name leads to for its owner, who may have bound it under a name
// relative to where he was.
void fill_bound(const DescriptorPlace& place, model::Socket& socket) {
  const std::string& name = socket.local_text();
  if (socket.domain() != AF_UNIX || name.empty() || name[0] == '@') return;
  const auto directory = ProcDirectory::open(place.tid);
  if (!directory) return;
  const std::string path = (name[0] == '/' ? "root" : "cwd/") + name;
  struct ::stat status {};
  if (::fstatat(directory->shared_fd(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return;
  }
  if (S_ISSOCK(status.st_mode)) fill_identity(status, *socket.mutable_bound());
}

void read_lines_again(const DescriptorPlace& place, OpenFile& file) {
  const auto directory = ProcDirectory::open(place.tid);
  const auto text = directory ? directory->read_fdinfo(place.fd) : std::nullopt;
  if (!text) return;
  file.clear_fdinfo();
  for (const std::string_view line : proc::parse_fdinfo(*text).extra) {
    file.add_fdinfo(std::string(line));
  }
}

// What is left of its time is less than when it was named. A periodic timer that has expired stands
// still until somebody reads or asks, so fdinfo does not tell when it would expire next. Asking
// makes it go on; a reader gets the same number of ticks.
void read_timer(const DescriptorPlace& place, OpenFile& file) {
  read_lines_again(place, file);
  const auto has = [&file](const char* line) {
    return std::ranges::find(file.fdinfo(), line) != file.fdinfo().end();
  };
  if (!has("it_value: (0, 0)") || has("it_interval: (0, 0)")) return;
  const UniqueFd borrowed = place.lender.borrow(place.fd);
  itimerspec setting{};
  if (!borrowed.valid() || ::timerfd_gettime(borrowed.get(), &setting) != 0) return;
  read_lines_again(place, file);
}

}  // namespace

bool has_lease(const model::OpenFile& file) {
  return std::ranges::any_of(file.fdinfo(), [](const std::string& line) {
    return line.starts_with("lock:") && line.find("LEASE") != std::string::npos;
  });
}

void name_open_file(const ProcDirectory& directory, int fd, const proc::FdInfo& info,
                    OpenFile& file) {
  fill_common(info, file);
  fill_target(directory, fd, file);
}

bool must_be_asked(const OpenFile& file) {
  if ((file.flags() & O_PATH) != 0) return false;
  if (may_be_queue(file)) return true;
  return file.kind() == OpenFile::TIMERFD || file.kind() == OpenFile::MEMFD ||
         file.kind() == OpenFile::FANOTIFY || may_have_owner(file);
}

void ask_open_file(const DescriptorPlace& place, PipeCapture& pipes, OpenFile& file) {
  if (file.kind() == OpenFile::TIMERFD) read_timer(place, file);
  const bool owner = may_have_owner(file);
  const bool queue = may_be_queue(file);
  if (!owner && !queue && file.kind() != OpenFile::MEMFD && file.kind() != OpenFile::FANOTIFY) {
    return;
  }
  const UniqueFd borrowed = place.lender.borrow(place.fd);
  if (!borrowed.valid()) return;
  if (queue) fill_queue(borrowed.get(), file);
  if (owner) fill_owner(borrowed.get(), file);
  switch (file.kind()) {
    case OpenFile::PIPE:
    case OpenFile::FIFO:
      pipes.capture(borrowed.get(), file);
      break;
    case OpenFile::SOCKET:
      capture_socket(borrowed.get(), file);
      fill_bound(place, *file.mutable_socket());
      break;
    case OpenFile::TERMINAL:
      capture_terminal(borrowed.get(), file);
      break;
    case OpenFile::INOTIFY:
    case OpenFile::FANOTIFY:
      fill_unread_events(borrowed.get(), file);
      break;
    case OpenFile::MEMFD:
      fill_seals(borrowed.get(), file);
      break;
    default:
      break;
  }
}

}  // namespace icecore::snapshot
