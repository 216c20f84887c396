// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/unix_sockets.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/unique_fd.h"

namespace icecore::snapshot {
namespace {

bool request_all(int netlink) {
  struct {
    nlmsghdr header;
    unix_diag_req question;
  } message{};
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.question.sdiag_family = AF_UNIX;
  message.question.udiag_states = ~0U;
  message.question.udiag_show =
      UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN;
  return ::send(netlink, &message, sizeof message, 0) == static_cast<ssize_t>(sizeof message);
}

std::vector<proc::UnixSocket> list_here() {
  std::vector<proc::UnixSocket> sockets;
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink.valid() || !request_all(netlink.get())) return sockets;
  std::vector<std::byte> datagram(64U << 10U);
  for (;;) {
    const ssize_t size = ::recv(netlink.get(), datagram.data(), datagram.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return sockets;
    try {
      if (!proc::parse_unix_diag({datagram.data(), static_cast<std::size_t>(size)}, sockets)) {
        return sockets;
      }
    } catch (const Error& error) {  // a kernel without unix_diag: peers stay unknown
      log(Topic::Capture, error.what());
      return sockets;
    }
  }
}

bool same_namespace(const std::string& path) {
  struct ::stat theirs {};
  struct ::stat ours {};
  return ::stat(path.c_str(), &theirs) != 0 || ::stat("/proc/thread-self/ns/net", &ours) != 0 ||
         (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev);
}

}  // namespace

std::vector<proc::UnixSocket> list_unix_sockets(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
  if (same_namespace(path)) return list_here();
  std::vector<proc::UnixSocket> sockets;
  // setns() changes the calling thread only; one that ends afterwards needs no way back.
  std::thread([&] {
    const UniqueFd space(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (space.valid() && ::setns(space.get(), CLONE_NEWNET) == 0) sockets = list_here();
  }).join();
  return sockets;
}

}  // namespace icecore::snapshot
