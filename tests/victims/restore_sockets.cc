// SPDX-License-Identifier: Apache-2.0
// Has sockets of many kinds with something in their queues, and tells on "check" whether all of
// them still are as they were. Its socket files are in the directory that it is given.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

namespace {

std::map<std::string, int> fds;
std::string directory;

void tell(const char* name, int fd) {
  if (fd < 0) ::_exit(2);
  fds[name] = fd;
  std::printf(" %s=%d", name, fd);
}

void make_pair(int type, const char* first, const char* second) {
  int ends[2];
  if (::socketpair(AF_UNIX, type, 0, ends) != 0) ::_exit(2);
  tell(first, ends[0]);
  tell(second, ends[1]);
}

void send_text(const char* name, const std::string& text) {
  if (::send(fds[name], text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    ::_exit(3);
  }
}

void send_descriptor(const char* name, int fd, char text) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  iovec part{&text, 1};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* const item = CMSG_FIRSTHDR(&header);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(item), &fd, sizeof fd);
  if (::sendmsg(fds[name], &header, 0) != 1) ::_exit(3);
}

// The text of one message and the descriptor that came with it.
std::string receive(const char* name, int* fd = nullptr, ucred* sender = nullptr) {
  static char buffer[1 << 18];
  alignas(cmsghdr) char control[256];
  iovec part{buffer, sizeof buffer};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(fds[name], &header, MSG_DONTWAIT);
  if (size < 0) return "error " + std::to_string(errno);
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_type == SCM_RIGHTS && fd != nullptr) {
      std::memcpy(fd, CMSG_DATA(item), sizeof *fd);
    }
    if (item->cmsg_type == SCM_CREDENTIALS && sender != nullptr) {
      std::memcpy(sender, CMSG_DATA(item), sizeof *sender);
    }
  }
  return {buffer, static_cast<std::size_t>(size)};
}

sockaddr_un unix_address(const std::string& name) {
  sockaddr_un address = {AF_UNIX, ""};
  std::memcpy(address.sun_path, name.data(), name.size());
  return address;
}

socklen_t length_of(const std::string& name) {
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() +
                                (name[0] == '\0' ? 0 : 1));
}

template <typename Call>
int with_name(Call call, int fd, const std::string& name) {
  const sockaddr_un address = unix_address(name);
  return call(fd, reinterpret_cast<const sockaddr*>(&address), length_of(name));
}

std::string name_of(int fd, decltype(&::getsockname) call) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (call(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "none";
  return {reinterpret_cast<const char*>(&address), size};
}

std::map<std::string, std::string> names;  // as they were: local and remote of each

void remember_names() {
  for (const auto& [name, fd] : fds) {
    names[name] = name_of(fd, &::getsockname) + "|" + name_of(fd, &::getpeername);
  }
}

std::string path(const char* name) { return directory + "/" + name; }

void open_pairs() {
  make_pair(SOCK_STREAM, "stream_a", "stream_b");
  send_text("stream_a", "hello ");
  send_text("stream_a", std::string(60'000, 's'));
  make_pair(SOCK_DGRAM, "dgram_a", "dgram_b");
  send_text("dgram_a", "one");
  send_text("dgram_a", "second");
  make_pair(SOCK_SEQPACKET, "seq_a", "seq_b");
  send_text("seq_b", "packet one");
  send_text("seq_b", "packet two");
  make_pair(SOCK_STREAM, "carrier_a", "carrier_b");
  int ends[2];
  ::pipe(ends);
  ::write(ends[1], "in flight", 9);
  send_text("carrier_a", "before");
  send_descriptor("carrier_a", ends[0], 'F');
  send_text("carrier_a", "behind");
  ::close(ends[0]);
  ::close(ends[1]);
  make_pair(SOCK_STREAM, "half_a", "half_b");
  send_text("half_a", "last words");
  ::shutdown(fds["half_a"], SHUT_WR);
  make_pair(SOCK_STREAM, "widow", "gone");
  send_text("gone", "farewell");
  ::close(fds["gone"]);
  fds.erase("gone");
  make_pair(SOCK_SEQPACKET, "who_a", "who_b");
  const int on = 1;
  ::setsockopt(fds["who_b"], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  send_text("who_a", "me");
}

void open_named() {
  const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (with_name(::bind, server, path("server")) != 0) ::_exit(4);
  ::chmod(path("server").c_str(), 0612);
  ::listen(server, 7);
  tell("server", server);
  const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
  with_name(::connect, client, path("server"));
  tell("client", client);
  tell("accepted", ::accept(server, nullptr, nullptr));
  send_text("client", "request");
  const int waiting = ::socket(AF_UNIX, SOCK_STREAM, 0);
  with_name(::connect, waiting, path("server"));
  tell("waiting", waiting);
  const std::string abstract =
      std::string(1, '\0') + "icecore-restore-" + std::to_string(::getpid());
  const int hidden = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
  with_name(::bind, hidden, abstract);
  ::listen(hidden, 3);
  tell("hidden", hidden);
  const int guest = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
  with_name(::connect, guest, abstract);
  tell("guest", guest);
  tell("host", ::accept(hidden, nullptr, nullptr));
  const int log = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  with_name(::bind, log, path("log"));
  tell("log", log);
  const int writer = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  with_name(::bind, writer, path("writer"));
  with_name(::connect, writer, path("log"));
  tell("writer", writer);
  send_text("writer", "line one");
  send_text("writer", "line two");
}

int bound_inet(int type) {
  const int fd = ::socket(AF_INET, type, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) ::_exit(5);
  return fd;
}

int connect_inet(int fd, int server) {
  const std::string address = name_of(server, &::getsockname);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(address.data()),
                static_cast<socklen_t>(address.size())) != 0) {
    ::_exit(6);
  }
  return fd;
}

void open_inet() {
  const int server = bound_inet(SOCK_STREAM);
  const int on = 1;
  ::setsockopt(server, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
  ::setsockopt(server, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::listen(server, 9);
  tell("tcp_server", server);
  const int off = 0;
  ::setsockopt(server, IPPROTO_TCP, TCP_DEFER_ACCEPT, &off, sizeof off);
  tell("tcp_client", connect_inet(::socket(AF_INET, SOCK_STREAM, 0), server));
  tell("tcp_accepted", ::accept(server, nullptr, nullptr));
  ::setsockopt(fds["tcp_client"], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  send_text("tcp_client", "tcp request");
  send_text("tcp_accepted", std::string(30'000, 'r'));
  tell("half_client", connect_inet(::socket(AF_INET, SOCK_STREAM, 0), server));
  tell("half_accepted", ::accept(server, nullptr, nullptr));
  send_text("half_client", "bye");
  ::shutdown(fds["half_client"], SHUT_WR);
  tell("tcp_waiting", connect_inet(::socket(AF_INET, SOCK_STREAM, 0), server));
  const int udp = bound_inet(SOCK_DGRAM);
  tell("udp", udp);
  tell("udp_client", connect_inet(bound_inet(SOCK_DGRAM), udp));
  send_text("udp_client", "datagram");
  const int wide = ::socket(AF_INET6, SOCK_STREAM, 0);
  ::setsockopt(wide, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const timeval timeout = {3, 250'000};
  ::setsockopt(wide, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::fcntl(wide, F_SETFL, O_NONBLOCK);
  tell("fresh", wide);
}

// ---- after the restore

int failures = 0;
void expect(bool good, const std::string& what) {
  if (!good) std::printf("%s%s", failures++ == 0 ? "WRONG " : ", ", what.c_str());
}

void expect_text(const char* name, const std::string& wanted) {
  const std::string got = receive(name);
  expect(got == wanted, std::string(name) + " got " + got.substr(0, 20));
}

void check_pairs() {
  expect_text("stream_b", "hello " + std::string(60'000, 's'));
  expect_text("dgram_b", "one");
  expect_text("dgram_b", "second");
  expect_text("seq_a", "packet one");
  expect_text("seq_a", "packet two");
  int fd = -1;
  const std::string first = receive("carrier_b", &fd);
  char text[16];
  expect(first == "beforeF" && fd >= 0 && ::read(fd, text, sizeof text) == 9 &&
             std::memcmp(text, "in flight", 9) == 0,
         "descriptor in flight");
  expect(::read(fd, text, sizeof text) == 0, "end of the pipe in flight");
  expect_text("carrier_b", "behind");
  expect_text("half_b", "last words");
  expect_text("half_b", "");
  send_text("half_b", "answer");
  expect_text("half_a", "answer");
  expect_text("widow", "farewell");
  expect_text("widow", "");
  ucred sender{};
  expect(receive("who_b", nullptr, &sender) == "me" && sender.pid == ::getpid() &&
             sender.uid == ::getuid(),
         "credentials of a message");
  ucred creator{};
  socklen_t size = sizeof creator;
  ::getsockopt(fds["who_a"], SOL_SOCKET, SO_PEERCRED, &creator, &size);
  expect(creator.pid == ::getpid(), "peer credentials");
}

void check_named() {
  struct stat status {};
  expect(::stat(path("server").c_str(), &status) == 0 && (status.st_mode & 07777) == 0612,
         "mode of the socket file");
  expect_text("accepted", "request");
  fds["late"] = ::accept(fds["server"], nullptr, nullptr);
  send_text("waiting", "was waiting");
  expect_text("late", "was waiting");
  const int again = ::socket(AF_UNIX, SOCK_STREAM, 0);
  expect(with_name(::connect, again, path("server")) == 0, "connect to the restored server");
  ::close(again);
  send_text("guest", "knock");
  expect_text("host", "knock");
  expect_text("log", "line one");
  expect_text("log", "line two");
  send_text("writer", "line three");
  expect_text("log", "line three");
}

void check_inet() {
  expect_text("tcp_accepted", "tcp request");
  expect_text("tcp_client", std::string(30'000, 'r'));
  send_text("tcp_client", "more");
  pollfd readable = {fds["tcp_accepted"], POLLIN, 0};
  ::poll(&readable, 1, 5000);
  expect_text("tcp_accepted", "more");
  int value = 0;
  socklen_t size = sizeof value;
  ::getsockopt(fds["tcp_client"], IPPROTO_TCP, TCP_NODELAY, &value, &size);
  expect(value == 1, "TCP_NODELAY");
  expect_text("half_accepted", "bye");
  expect_text("half_accepted", "");
  fds["tcp_late"] = ::accept(fds["tcp_server"], nullptr, nullptr);
  expect(name_of(fds["tcp_late"], &::getpeername) == name_of(fds["tcp_waiting"], &::getsockname),
         "waiting tcp connection");
  expect_text("udp", "datagram");
  timeval timeout{};
  size = sizeof timeout;
  ::getsockopt(fds["fresh"], SOL_SOCKET, SO_RCVTIMEO, &timeout, &size);
  expect(timeout.tv_sec == 3 && (::fcntl(fds["fresh"], F_GETFL) & O_NONBLOCK) != 0, "options");
}

void check_names() {
  for (const auto& [name, before] : names) {
    const int fd = fds[name];
    const std::string now = name_of(fd, &::getsockname) + "|" + name_of(fd, &::getpeername);
    expect(now == before, "names of " + name);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 1;
  directory = arguments[1];
  std::printf("READY");
  open_pairs();
  open_named();
  open_inet();
  remember_names();
  std::printf("\n");
  std::fflush(stdout);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strncmp(line, "check", 5) != 0) continue;
    check_names();
    check_pairs();
    check_named();
    check_inet();
    std::printf("%s\n", failures == 0 ? "DONE" : "");
    std::fflush(stdout);
  }
}
