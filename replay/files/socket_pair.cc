// SPDX-License-Identifier: Apache-2.0
#include "replay/files/socket_pair.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "snapshot/capture/borrowed_descriptor.h"

namespace icecore::replay {
namespace {

constexpr std::uint64_t kSame = ~0ULL;

/// The effective user and group of a puppet that is root until its credentials are set.
class Guise {
 public:
  Guise(Puppet& puppet, const model::Socket& socket)
      : puppet_(puppet), active_(socket.peer_uid() != 0 || socket.peer_gid() != 0) {
    if (active_) put_on(socket.peer_uid(), socket.peer_gid());
  }
  Guise(const Guise&) = delete;
  Guise& operator=(const Guise&) = delete;
  ~Guise() {
    if (!active_) return;
    puppet_.call(SYS_setresuid, {kSame, 0, kSame});
    puppet_.call(SYS_setresgid, {kSame, 0, kSame});
  }

 private:
  void put_on(std::uint64_t uid, std::uint64_t gid) {
    puppet_.call(SYS_setresgid, {kSame, gid, kSame});
    puppet_.call(SYS_setresuid, {kSame, uid, kSame});
  }

  Puppet& puppet_;
  bool active_;
};

int with_flags(int type) { return type | SOCK_CLOEXEC | SOCK_NONBLOCK; }

}  // namespace

SocketPair make_socket_pair(int type) {
  int ends[2];
  if (::socketpair(AF_UNIX, with_flags(type), 0, ends) != 0) throw_errno("socketpair");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

SocketPair make_socket_pair_as(Puppet& puppet, const model::Socket& socket) {
  std::int64_t result = 0;
  {
    const Guise guise(puppet, socket);
    const auto type = static_cast<std::uint64_t>(with_flags(socket.type()));
    result = puppet.call(SYS_socketpair, {AF_UNIX, type, 0, puppet.scratch()});
  }
  if (result < 0) throw_errno("socketpair", static_cast<int>(-result));
  std::array<int, 2> ends{};
  puppet.read(puppet.scratch(), std::as_writable_bytes(std::span(ends)));
  const snapshot::DescriptorLender lender(puppet.pid());
  SocketPair pair{lender.borrow(ends[0]), lender.borrow(ends[1])};
  for (const int end : ends) puppet.call(SYS_close, {static_cast<std::uint64_t>(end)});
  if (!pair.first.valid() || !pair.second.valid()) throw Error("a socket pair got lost");
  return pair;
}

}  // namespace icecore::replay
