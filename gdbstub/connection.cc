// SPDX-License-Identifier: Apache-2.0
#include "gdbstub/connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.h"

namespace icecore::gdbstub {
namespace {

constexpr std::size_t kReadPiece = 65536;

int make_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) throw_errno("fcntl F_GETFL");
  if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) throw_errno("fcntl F_SETFL");
  return flags;
}

bool try_again(int errno_value) { return errno_value == EAGAIN || errno_value == EINTR; }

/// write(2), but a socket whose peer is gone must not kill us with SIGPIPE.
ssize_t write_some(int fd, const std::string& bytes) {
  const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return ::write(fd, bytes.data(), bytes.size());
}

}  // namespace

Connection::Connection(UniqueFd socket)
    : owned_(std::move(socket)), input_(owned_.get()), output_(owned_.get()) {
  make_nonblocking(input_);
}

Connection::Connection(int input, int output) : input_(input), output_(output) {
  // Both flags are read before one is changed: the two may be one open file.
  output_flags_ = ::fcntl(output, F_GETFL);
  input_flags_ = make_nonblocking(input);
  make_nonblocking(output);
}

Connection Connection::standard_streams() { return {STDIN_FILENO, STDOUT_FILENO}; }

Connection::Connection(Connection&& other) noexcept
    : owned_(std::move(other.owned_)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      input_flags_(std::exchange(other.input_flags_, -1)),
      output_flags_(std::exchange(other.output_flags_, -1)) {}

Connection::~Connection() {
  if (output_flags_ >= 0) ::fcntl(output_, F_SETFL, output_flags_);
  if (input_flags_ >= 0) ::fcntl(input_, F_SETFL, input_flags_);
}

Connection::Outcome Connection::receive(std::string& bytes) const {
  char buffer[kReadPiece];
  const ssize_t count = ::read(input_, buffer, sizeof buffer);
  if (count > 0) bytes.append(buffer, static_cast<std::size_t>(count));
  if (count > 0 || (count < 0 && try_again(errno))) return Outcome::Open;
  return Outcome::Closed;
}

Connection::Outcome Connection::send(std::string& bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = write_some(output_, bytes);
    if (count < 0) return try_again(errno) ? Outcome::Open : Outcome::Closed;
    bytes.erase(0, static_cast<std::size_t>(count));
  }
  return Outcome::Open;
}

}  // namespace icecore::gdbstub
