// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <functional>

#include "gdbstub/commands/commands.h"
#include "gdbstub/hex.h"
#include "gdbstub/packet_fields.h"
#include "gdbstub/packet_framing.h"
#include "gdbstub/target/host_files.h"

namespace icecore::gdbstub::commands {
namespace {

constexpr std::size_t kLongestPath = 4096;

// The protocol's own numbers (gdb manual, "Protocol-specific Representation of Datatypes").
int open_flags(std::uint64_t wire) {
  constexpr std::uint64_t kAccess = 0x3;
  int flags = static_cast<int>(wire & kAccess);
  if ((wire & 0x8) != 0) flags |= O_APPEND;
  if ((wire & 0x200) != 0) flags |= O_CREAT;
  if ((wire & 0x400) != 0) flags |= O_TRUNC;
  if ((wire & 0x800) != 0) flags |= O_EXCL;
  return flags;
}

// Those of errno that the protocol knows have the same number on Linux, but for ENAMETOOLONG.
std::string wire_errno(int errno_value) {
  constexpr int kNameTooLong = 91;
  constexpr int kUnknown = 9999;
  switch (errno_value) {
    case EPERM:
    case ENOENT:
    case EINTR:
    case EBADF:
    case EACCES:
    case EFAULT:
    case EBUSY:
    case EEXIST:
    case ENODEV:
    case ENOTDIR:
    case EISDIR:
    case EINVAL:
    case ENFILE:
    case EMFILE:
    case EFBIG:
    case ENOSPC:
    case ESPIPE:
    case EROFS:
      return hex_number(static_cast<unsigned>(errno_value));
    case ENAMETOOLONG:
      return hex_number(kNameTooLong);
    default:
      return hex_number(kUnknown);
  }
}

/// Runs one file operation; its failure is an answer like any other.
Reply file_reply(const std::function<std::string()>& operation) {
  try {
    return Reply::packet("F" + operation());
  } catch (const HostFileError& error) {
    return Reply::packet("F-1," + wire_errno(error.errno_value()));
  }
}

int parse_descriptor(std::uint64_t value) {
  if (value > 0x7fffffff) throw MalformedPacket("no file descriptor");
  return static_cast<int>(value);
}

std::string parse_path(PacketFields& fields, char end) {
  const std::string path = as_text(fields.hex(end));
  if (path.size() > kLongestPath || path.find('\0') != std::string::npos) {
    throw MalformedPacket("no path");
  }
  return path;
}

void put_big_endian(std::string& out, std::uint64_t value, unsigned size) {
  for (unsigned i = size; i > 0; --i) out += static_cast<char>(value >> ((i - 1) * 8U) & 0xffU);
}

/// struct stat as the protocol lays it out, 64 bytes big-endian.
std::string status_bytes(const HostFileStatus& status) {
  constexpr std::uint64_t kBlock = 512;
  std::string bytes;
  put_big_endian(bytes, status.device, 4);
  put_big_endian(bytes, status.inode, 4);
  put_big_endian(bytes, status.mode, 4);
  put_big_endian(bytes, status.links, 4);
  put_big_endian(bytes, status.uid, 4);
  put_big_endian(bytes, status.gid, 4);
  put_big_endian(bytes, 0, 4);
  put_big_endian(bytes, status.size, 8);
  put_big_endian(bytes, 4096, 8);
  put_big_endian(bytes, (status.size + kBlock - 1) / kBlock, 8);
  for (int i = 0; i < 3; ++i) put_big_endian(bytes, static_cast<std::uint64_t>(status.mtime), 4);
  return bytes;
}

std::string with_attachment(std::string_view bytes) {
  return hex_number(bytes.size()) + ";" + std::string(bytes);
}

}  // namespace

Reply file_set_process(Context& context, std::string_view arguments) {
  const std::uint64_t pid = PacketFields(arguments).last_number();
  if (pid > 0x7fffffff) throw MalformedPacket("no process id");
  context.state.file_process = static_cast<std::int32_t>(pid);
  return Reply::packet("F0");
}

Reply file_open(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const std::string path = parse_path(fields, ',');
  const int flags = open_flags(fields.number(','));
  const int mode = static_cast<int>(fields.number('\0') & 07777U);
  return file_reply([&] {
    return hex_number(static_cast<unsigned>(
        context.target.host_files()->open({context.state.file_process, path, flags, mode})));
  });
}

Reply file_close(Context& context, std::string_view arguments) {
  const int descriptor = parse_descriptor(PacketFields(arguments).last_number());
  return file_reply([&] {
    context.target.host_files()->close(descriptor);
    return std::string("0");
  });
}

Reply file_read(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const int descriptor = parse_descriptor(fields.number(','));
  const std::uint64_t count = std::min<std::uint64_t>(fields.number(','), kPacketSize - 32);
  const std::uint64_t offset = fields.number('\0');
  return file_reply([&] {
    auto bytes = context.target.host_files()->read(descriptor, count, offset);
    bytes.resize(escaped_prefix(bytes, kPacketSize - 32));
    return with_attachment(as_text(bytes));
  });
}

Reply file_write(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const int descriptor = parse_descriptor(fields.number(','));
  const std::uint64_t offset = fields.number(',');
  return file_reply([&] {
    return hex_number(
        context.target.host_files()->write(descriptor, as_bytes(fields.rest()), offset));
  });
}

Reply file_status(Context& context, std::string_view arguments) {
  const int descriptor = parse_descriptor(PacketFields(arguments).last_number());
  return file_reply([&] {
    return with_attachment(status_bytes(context.target.host_files()->status(descriptor)));
  });
}

Reply file_read_link(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const std::string path = parse_path(fields, '\0');
  return file_reply([&] {
    return with_attachment(
        context.target.host_files()->read_link(context.state.file_process, path));
  });
}

Reply file_unlink(Context& context, std::string_view arguments) {
  PacketFields fields(arguments);
  const std::string path = parse_path(fields, '\0');
  return file_reply([&] {
    context.target.host_files()->unlink(context.state.file_process, path);
    return std::string("0");
  });
}

}  // namespace icecore::gdbstub::commands
