// SPDX-License-Identifier: Apache-2.0
#include "cli/descriptor_text.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "cli/quantities.h"

namespace icecore::cli {
namespace {

std::string mode_text(std::uint32_t flags) {
  switch (flags & O_ACCMODE) {
    case O_RDONLY:
      return "r";
    case O_WRONLY:
      return (flags & O_APPEND) != 0 ? "append" : "w";
    default:
      return (flags & O_APPEND) != 0 ? "rw append" : "rw";
  }
}

std::string protocol_text(const model::Socket& socket) {
  const bool stream = socket.type() == SOCK_STREAM;
  switch (socket.domain()) {
    case AF_UNIX:
      return stream ? "unix" : socket.type() == SOCK_DGRAM ? "unix dgram" : "unix seqpacket";
    case AF_INET:
    case AF_INET6:
      if (stream) return "tcp";
      return socket.type() == SOCK_DGRAM ? "udp" : "raw";
    case AF_NETLINK:
      return "netlink";
    default:
      return "domain " + std::to_string(socket.domain());
  }
}

std::string socket_text(const model::OpenFile& file) {
  const model::Socket& socket = file.socket();
  std::string text = "socket " + (file.has_socket() ? protocol_text(socket) : file.target());
  if (!socket.local_text().empty()) text += " " + socket.local_text();
  if (!socket.remote_text().empty()) text += " -> " + socket.remote_text();
  if (!socket.state().empty()) text += " " + socket.state();
  if (socket.receive_queue() != 0) {
    text += ", " + bytes_text(socket.receive_queue()) + " unread";
  }
  return text;
}

std::string pipe_text(const model::OpenFile& file) {
  std::string text = file.target() + " " + mode_text(file.flags());
  if (file.unread_bytes() != 0) text += ", " + bytes_text(file.unread_bytes()) + " unread";
  return text + (file.peer_outside() ? ", its other end is outside the tree" : "");
}

}  // namespace

std::string open_file_text(const model::OpenFile& file) {
  switch (file.kind()) {
    case model::OpenFile::SOCKET:
      return socket_text(file);
    case model::OpenFile::PIPE:
    case model::OpenFile::FIFO:
      return pipe_text(file);
    case model::OpenFile::REGULAR:
      return file.target() + " " + mode_text(file.flags()) + " at " +
             std::to_string(file.position()) + (file.deleted() ? ", deleted" : "");
    default:
      return file.target() + " " + mode_text(file.flags()) + (file.deleted() ? ", deleted" : "");
  }
}

}  // namespace icecore::cli
