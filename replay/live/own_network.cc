// SPDX-License-Identifier: Apache-2.0
#include "replay/live/own_network.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "base/log.h"

namespace icecore::replay {
namespace {

void start_loopback() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) throw_errno("socket");
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) throw_errno("start the loopback device");
}

/// What listened on an address of the machine must find it; /proc/sys/net is the thread's own.
void allow_foreign_addresses() {
  for (const char* path :
       {"/proc/sys/net/ipv4/ip_nonlocal_bind", "/proc/sys/net/ipv6/ip_nonlocal_bind"}) {
    const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
    if (!file.valid() || ::write(file.get(), "1", 1) != 1) {
      log(Topic::Tracing, std::string(path) + " cannot be set");
    }
  }
}

}  // namespace

OwnNetwork::OwnNetwork() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  if (!before_.valid()) throw_errno("open /proc/thread-self/ns/net");
  if (::unshare(CLONE_NEWNET) != 0) {
    const int error = errno;
    Error refused("make a network namespace: " + std::string(std::strerror(error)), error);
    refused.set_hint("run it as root, or share the network: --share net");
    throw refused;
  }
  start_loopback();
  allow_foreign_addresses();
}

OwnNetwork::~OwnNetwork() {
  if (::setns(before_.get(), CLONE_NEWNET) != 0) log(Topic::Tracing, "setns: cannot go back");
}

}  // namespace icecore::replay
