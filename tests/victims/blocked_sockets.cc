// SPDX-License-Identifier: Apache-2.0
// Blocks in one call on a socket, without and with SO_RCVTIMEO or SO_SNDTIMEO, partly done or not.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>

#include "blocked_case.h"

namespace {

using namespace blocked;

constexpr std::size_t kMuch = 4U << 20U;
int ends[2];
char buffer[kMuch];
sockaddr_storage name;
socklen_t name_size = sizeof name;
iovec part{buffer, 100};
msghdr header{};

void make_pair(int type = SOCK_STREAM) {
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
}
void limit(int fd, int option) {
  const timeval time{kTimeoutMs / 1000, kTimeoutMs % 1000 * 1000};
  ::setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}
void feed() {
  if (::send(ends[1], buffer, 100, 0) != 100) std::abort();
}
void fill() {
  while (::send(ends[0], buffer, 4096, MSG_DONTWAIT) > 0) {
  }
}
void drain() {
  for (std::size_t got = 0; got < kMuch;) {
    pollfd waiting{ends[1], POLLIN, 0};
    if (::poll(&waiting, 1, 2000) <= 0) return;
    static char taken[65536];
    const ssize_t count = ::recv(ends[1], taken, sizeof taken, MSG_DONTWAIT);
    if (count > 0) got += static_cast<std::size_t>(count);
  }
}
int listening(int family, int backlog) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (family == AF_INET) {
    ::bind(fd, reinterpret_cast<sockaddr*>(&loopback), sizeof loopback);
  } else {
    sa_family_t unnamed = AF_UNIX;  // the kernel chooses an abstract name
    ::bind(fd, reinterpret_cast<sockaddr*>(&unnamed), sizeof unnamed);
  }
  ::listen(fd, backlog);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &name_size);
  return fd;
}
void connect_to_it() {
  ends[1] = ::socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::connect(ends[1], reinterpret_cast<sockaddr*>(&name), name_size);
}
/// A socket whose connect() will wait: nobody accepts and the queue is full.
int about_to_connect(int family) {
  ends[0] = listening(family, 0);
  for (int i = 0; i < 3; ++i) {
    const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ::connect(fd, reinterpret_cast<sockaddr*>(&name), name_size);
  }
  return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
void accept_all() {
  // Wakes who waits for a place in the queue.
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  for (int i = 0; i < 8; ++i) {
    pollfd waiting{ends[0], POLLIN, 0};
    if (::poll(&waiting, 1, 500) > 0) ::accept(ends[0], nullptr, nullptr);
  }
}
long connect_it(int fd) {
  ready();
  return raw(SYS_connect, fd, address(&name), name_size);
}
int udp() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&loopback), sizeof loopback);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &name_size);
  return ends[0] = fd;
}
void send_datagram() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ::sendto(fd, buffer, 100, 0, reinterpret_cast<sockaddr*>(&name), name_size);
}
long receive(int fd, long size, int flags) {
  ready();
  return raw(SYS_recvfrom, fd, address(buffer), size, flags);
}
long receive_message(int fd, int flags) {
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ready();
  return raw(SYS_recvmsg, fd, address(&header), flags);
}
long receive_messages(int fd, unsigned count, int flags, timespec* timeout) {
  static mmsghdr headers[4];
  for (auto& each : headers) {
    each.msg_hdr.msg_iov = &part;
    each.msg_hdr.msg_iovlen = 1;
  }
  ready();
  return raw(SYS_recvmmsg, fd, address(headers), count, flags, address(timeout));
}
long transmit(long size) {
  ready();
  return raw(SYS_sendto, ends[0], address(buffer), size, MSG_NOSIGNAL);
}
long accept_on(int fd, long number) {
  ready();
  const long result = raw(number, fd, 0, 0, 0);
  return result > 0 ? 0 : result;
}

const std::vector<Case> kReceiving{
    {"recvfrom_unix", End::Wake, [] { return make_pair(), receive(ends[0], 100, 0); }, feed},
    {"recvmsg_unix", End::Wake, [] { return make_pair(), receive_message(ends[0], 0); }, feed},
    {"read_unix", End::Wake,
     [] { return make_pair(), ready(), raw(SYS_read, ends[0], address(buffer), 100); }, feed},
    {"recvfrom_udp", End::Wake, [] { return receive(udp(), 100, 0); }, send_datagram},
    {"recvmmsg_udp", End::Wake, [] { return receive_messages(udp(), 1, 0, nullptr); },
     send_datagram},
    {"recvmmsg_partial", End::Wake,
     [] {
       udp();
       send_datagram();
       return receive_messages(ends[0], 2, 0, nullptr);
     },
     send_datagram},
    {"recv_waitall_partial", End::Wake,
     [] {
       make_pair();
       feed();
       return receive(ends[0], 200, MSG_WAITALL);
     },
     feed},
    {"recvmsg_waitall_partial", End::Wake,
     [] {
       make_pair();
       if (::send(ends[1], buffer, 40, 0) != 40) std::abort();
       return receive_message(ends[0], MSG_WAITALL);
     },
     [] {
       if (::send(ends[1], buffer, 60, 0) != 60) std::abort();
     }},
    {"recvfrom_unix_rcvtimeo", End::Timeout,
     [] {
       make_pair();
       limit(ends[0], SO_RCVTIMEO);
       return receive(ends[0], 100, 0);
     }},
    {"recvfrom_udp_rcvtimeo", End::Timeout,
     [] {
       limit(udp(), SO_RCVTIMEO);
       return receive(ends[0], 100, 0);
     }},
    {"recvmsg_rcvtimeo", End::Timeout,
     [] {
       make_pair();
       limit(ends[0], SO_RCVTIMEO);
       return receive_message(ends[0], 0);
     }},
    {"recvmmsg_rcvtimeo", End::Timeout,
     [] {
       limit(udp(), SO_RCVTIMEO);
       return receive_messages(ends[0], 2, 0, nullptr);
     }},
    {"read_rcvtimeo", End::Timeout,
     [] {
       make_pair();
       limit(ends[0], SO_RCVTIMEO);
       ready();
       return raw(SYS_read, ends[0], address(buffer), 100);
     }},
    {"read_rcvtimeo_woken", End::Wake,
     [] {
       make_pair();
       limit(ends[0], SO_RCVTIMEO);
       ready();
       return raw(SYS_read, ends[0], address(buffer), 100);
     },
     feed},
};

const std::vector<Case> kConnecting{
    {"accept", End::Wake, [] { return accept_on(listening(AF_INET, 5), SYS_accept); },
     connect_to_it},
    {"accept4_unix", End::Wake, [] { return accept_on(listening(AF_UNIX, 5), SYS_accept4); },
     connect_to_it},
    {"accept_rcvtimeo", End::Timeout,
     [] {
       const int fd = listening(AF_INET, 5);
       limit(fd, SO_RCVTIMEO);
       return accept_on(fd, SYS_accept);
     }},
    {"connect_unix", End::Wake, [] { return connect_it(about_to_connect(AF_UNIX)); }, accept_all},
    {"connect_tcp", End::Wake, [] { return connect_it(about_to_connect(AF_INET)); }, accept_all},
    {"connect_unix_sndtimeo", End::Timeout,
     [] {
       const int fd = about_to_connect(AF_UNIX);
       limit(fd, SO_SNDTIMEO);
       return connect_it(fd);
     }},
    {"connect_tcp_sndtimeo", End::Timeout,
     [] {
       const int fd = about_to_connect(AF_INET);
       limit(fd, SO_SNDTIMEO);
       return connect_it(fd);
     }},
};

const std::vector<Case> kSending{
    {"send_unix_full", End::Wake, [] { return make_pair(), fill(), transmit(4096); }, drain},
    {"send_unix_partial", End::Wake, [] { return make_pair(), transmit(kMuch); }, drain},
    {"sendmsg_unix_partial", End::Wake,
     [] {
       make_pair();
       static iovec parts[2]{{buffer, 1000}, {buffer, kMuch - 1000}};
       header.msg_iov = parts;
       header.msg_iovlen = 2;
       ready();
       return raw(SYS_sendmsg, ends[0], address(&header), 0);
     },
     drain},
    {"write_unix_partial", End::Wake,
     [] { return make_pair(), ready(), raw(SYS_write, ends[0], address(buffer), kMuch); }, drain},
    {"send_unix_sndtimeo", End::Timeout,
     [] {
       make_pair();
       fill();
       limit(ends[0], SO_SNDTIMEO);
       return transmit(4096);
     }},
    {"write_unix_sndtimeo", End::Timeout,
     [] {
       make_pair();
       fill();
       limit(ends[0], SO_SNDTIMEO);
       ready();
       return raw(SYS_write, ends[0], address(buffer), 4096);
     }},
};

}  // namespace

int main(int argc, char** argv) {
  auto cases = kReceiving;
  cases.insert(cases.end(), kConnecting.begin(), kConnecting.end());
  cases.insert(cases.end(), kSending.begin(), kSending.end());
  return run(argc, argv, cases);
}
