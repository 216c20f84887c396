// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/partial_transfer.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "snapshot/tracing/process_memory.h"

namespace icecore::snapshot {
namespace {

// The x86-64 ABI lets leaf functions use this much below rsp.
constexpr std::uint64_t kRedZone = 128;

bool has_flag(std::uint64_t flags, int bit) {
  return (flags & static_cast<std::uint64_t>(bit)) != 0;
}

template <typename T>
std::optional<T> read_object(int pid, std::uint64_t address) {
  T object{};
  if (!read_process(pid, address, std::as_writable_bytes(std::span(&object, 1)))) {
    return std::nullopt;
  }
  return object;
}

/// /dev/zero, /dev/random and /dev/urandom look for signals after every page.
bool is_endless(const struct stat& status) {
  constexpr unsigned kMemoryDevices = 1;
  const unsigned device = minor(status.st_rdev);
  return S_ISCHR(status.st_mode) && major(status.st_rdev) == kMemoryDevices &&
         (device == 5 || device == 8 || device == 9);
}

/// The io vectors of a writev or sendmsg, as the program has them.
std::vector<iovec> read_vectors(int pid, std::uint64_t address, std::uint64_t count) {
  std::vector<iovec> vectors(std::min<std::uint64_t>(count, IOV_MAX));
  if (!read_process(pid, address, std::as_writable_bytes(std::span(vectors)))) return {};
  return vectors;
}

std::uint64_t total(const std::vector<iovec>& vectors) {
  std::uint64_t size = 0;
  for (const auto& vector : vectors) size += vector.iov_len;
  return size;
}

std::uint64_t total_of_message(int pid, std::uint64_t address) {
  const auto header = read_object<msghdr>(pid, address);
  if (!header) return 0;
  return total(
      read_vectors(pid, reinterpret_cast<std::uint64_t>(header->msg_iov), header->msg_iovlen));
}

/// What is left of `vectors` after `done` bytes; empty when nothing is.
std::vector<iovec> rest_of(std::vector<iovec> vectors, std::uint64_t done) {
  std::size_t first = 0;
  while (first < vectors.size() && vectors[first].iov_len <= done) done -= vectors[first++].iov_len;
  vectors.erase(vectors.begin(), vectors.begin() + static_cast<std::ptrdiff_t>(first));
  if (!vectors.empty()) {
    vectors[0].iov_base = static_cast<char*>(vectors[0].iov_base) + done;
    vectors[0].iov_len -= done;
  }
  return vectors;
}

std::optional<user_regs_struct> with_rest_of_vectors(int pid, user_regs_struct registers,
                                                     std::uint64_t done) {
  const auto rest = rest_of(read_vectors(pid, registers.rsi, registers.rdx), done);
  const auto bytes = std::as_bytes(std::span(rest));
  const std::uint64_t place = place_below_stack(registers, bytes.size());
  if (rest.empty() || !write_process(pid, place, bytes)) return std::nullopt;
  registers.rsi = place;
  registers.rdx = rest.size();
  return registers;
}

std::optional<user_regs_struct> with_rest_of_message(int pid, user_regs_struct registers,
                                                     std::uint64_t done) {
  auto header = read_object<msghdr>(pid, registers.rsi);
  if (!header) return std::nullopt;
  const auto rest = rest_of(
      read_vectors(pid, reinterpret_cast<std::uint64_t>(header->msg_iov), header->msg_iovlen),
      done);
  const std::uint64_t vectors = place_below_stack(registers, rest.size() * sizeof(iovec));
  const std::uint64_t place = (vectors - sizeof *header) & ~15ULL;
  header->msg_iov = reinterpret_cast<iovec*>(vectors);
  header->msg_iovlen = rest.size();
  // Descriptors and credentials went with the first part.
  header->msg_control = nullptr;
  header->msg_controllen = 0;
  if (rest.empty() || !write_process(pid, vectors, std::as_bytes(std::span(rest))) ||
      !write_process(pid, place, std::as_bytes(std::span(&*header, 1)))) {
    return std::nullopt;
  }
  registers.rsi = place;
  return registers;
}

}  // namespace

std::uint64_t place_below_stack(const user_regs_struct& registers, std::uint64_t size) {
  return (registers.rsp - kRedZone - size) & ~15ULL;
}

std::uint64_t asked_for(int pid, const user_regs_struct& registers) {
  switch (static_cast<long>(registers.orig_rax)) {
    case SYS_write:
    case SYS_read:
      return registers.rdx;
    case SYS_getrandom:
      return registers.rsi;
    case SYS_writev:
    case SYS_pwritev2:
      return total(read_vectors(pid, registers.rsi, registers.rdx));
    case SYS_sendto:
      return has_flag(registers.r10, MSG_DONTWAIT) ? 0 : registers.rdx;
    case SYS_sendmsg:
      return has_flag(registers.rdx, MSG_DONTWAIT) ? 0 : total_of_message(pid, registers.rsi);
    case SYS_recvfrom:
      return has_flag(registers.r10, MSG_WAITALL) && !has_flag(registers.r10, MSG_PEEK)
                 ? registers.rdx
                 : 0;
    case SYS_recvmsg:
      return has_flag(registers.rdx, MSG_WAITALL) && !has_flag(registers.rdx, MSG_PEEK)
                 ? total_of_message(pid, registers.rsi)
                 : 0;
    case SYS_recvmmsg:
      // With a timeout, less than all may be what the program asked for.
      return has_flag(registers.r10, MSG_WAITFORONE | MSG_DONTWAIT) || registers.r8 != 0
                 ? 0
                 : registers.rdx;
    case SYS_sendmmsg:
      return has_flag(registers.r10, MSG_DONTWAIT) ? 0 : registers.rdx;
    case SYS_sendfile:
      return registers.r10;
    default:
      return 0;
  }
}

bool always_does_all(int pid, const user_regs_struct& registers) {
  const auto number = static_cast<long>(registers.orig_rax);
  if (number == SYS_getrandom) return true;
  const std::uint64_t fd = registers.rdi;
  const std::string base = "/proc/" + std::to_string(pid);
  struct stat status {};
  if (::stat((base + "/fd/" + std::to_string(fd)).c_str(), &status) != 0) return false;
  if (number == SYS_read) return is_endless(status);
  const bool stream =
      S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || S_ISCHR(status.st_mode);
  if (!stream) return false;
  std::FILE* file = std::fopen((base + "/fdinfo/" + std::to_string(fd)).c_str(), "re");
  if (file == nullptr) return false;
  unsigned flags = 0;
  std::array<char, 128> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), file) != nullptr) {
    if (std::sscanf(line.data(), "flags: %o", &flags) == 1) break;
  }
  std::fclose(file);
  return (flags & static_cast<unsigned>(O_NONBLOCK)) == 0;
}

std::optional<user_regs_struct> with_rest_only(int pid, user_regs_struct registers,
                                               std::uint64_t done) {
  switch (static_cast<long>(registers.orig_rax)) {
    case SYS_sendfile:
      registers.r10 -= done;  // the kernel has moved the offset on
      return registers;
    case SYS_writev:
    case SYS_pwritev2:
      return with_rest_of_vectors(pid, registers, done);
    case SYS_sendmsg:
    case SYS_recvmsg:
      return with_rest_of_message(pid, registers, done);
    case SYS_getrandom:
      registers.rdi += done;
      registers.rsi -= done;
      return registers;
    case SYS_recvmmsg:
    case SYS_sendmmsg:
      registers.rsi += done * sizeof(mmsghdr);
      registers.rdx -= done;
      return registers;
    default:
      registers.rsi += done;
      registers.rdx -= done;
      return registers;
  }
}

}  // namespace icecore::snapshot
