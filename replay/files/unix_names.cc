// SPDX-License-Identifier: Apache-2.0
#include "replay/files/unix_names.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/error.h"
#include "replay/files/socket_owner.h"
#include "snapshot/capture/unix_sockets.h"

namespace icecore::replay {
namespace {

constexpr std::size_t kPath = offsetof(sockaddr_un, sun_path);

bool is_abstract(const std::string& address) {
  return address.size() <= kPath || address[kPath] == '\0';
}

std::string path_of(const std::string& address) {
  const std::string path = address.substr(kPath);
  return path.substr(0, path.find('\0'));
}

void bind_address(int fd, const std::string& address) {
  if (::bind(fd, reinterpret_cast<const sockaddr*>(address.data()),
             static_cast<socklen_t>(address.size())) != 0) {
    throw_errno("bind");
  }
}

/// Runs `body` on a thread whose root, working directory and umask are its own.
void with_own_directories(const std::function<void()>& body) {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      if (::unshare(CLONE_FS) != 0) throw_errno("unshare the working directory");
      body();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

/// An empty directory for a moment.
class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/icecore-names-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw_errno("create " + std::string(name));
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

void UnixNames::bind(int fd, const model::OpenFile& file) const {
  const model::Socket& socket = file.socket();
  const std::string& address = socket.local();
  if (is_abstract(address)) {
    bind_address(fd, address);
    return;
  }
  if (!socket.has_bound()) {
    bind_without_file(fd, address);
    return;
  }
  const std::string path = path_of(address);
  inside(file, [&] {
    struct ::stat status {};
    // Left behind by an owner that has ended: check_unix() has seen that nobody listens there.
    if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
    bind_address(fd, address);
    constexpr unsigned kPermissions = 07777;
    if (::chmod(path.c_str(), socket.bound().mode() & kPermissions) != 0 ||
        ::lchown(path.c_str(), socket.bound().uid(), socket.bound().gid()) != 0) {
      throw_errno("give it the mode and owner it had");
    }
  });
}

void UnixNames::inside(const model::OpenFile& file, const std::function<void()>& body) const {
  with_own_directories([&] {
    if (::fchdir(root_) != 0 || ::chroot(".") != 0) throw_errno("enter the tree's root directory");
    if (::chdir(directory_of_holder(file).c_str()) != 0) throw_errno("enter its directory");
    body();
  });
}

void UnixNames::bind_without_file(int fd, const std::string& address) const {
  if (is_abstract(address)) {
    bind_address(fd, address);
    return;
  }
  const Scratch scratch;
  const std::filesystem::path path = path_of(address);
  const std::filesystem::path parent = path.relative_path().parent_path();
  std::filesystem::create_directories(scratch.path() / parent);
  with_own_directories([&] {
    if (::chroot(scratch.path().c_str()) != 0 || ::chdir("/") != 0) throw_errno("chroot");
    bind_address(fd, address);
  });
}

std::string UnixNames::directory_of_holder(const model::OpenFile& file) const {
  for (const auto& process : model_.processes()) {
    for (const auto& descriptor : process.descriptors()) {
      if (descriptor.description() == file.id()) return process.working_directory();
    }
  }
  return "/";
}

SocketOwner UnixNames::owner(const std::string& name) {
  std::string wanted = name;
  if (!wanted.empty() && wanted[0] == '@') wanted[0] = '\0';
  struct ::stat status {};
  const bool is_file = name.starts_with('/');
  if (is_file && (::stat(name.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode))) return {};
  // Abstract names are those of the thread's network namespace.
  for (const auto& socket : snapshot::list_unix_sockets(is_file ? ::getpid() : ::gettid())) {
    std::string bound = socket.name;
    if (!bound.empty() && bound[0] != '\0') bound = bound.substr(0, bound.find('\0'));
    if (bound != wanted || (is_file && socket.state != kListening && socket.type == SOCK_STREAM)) {
      continue;
    }
    return owner_of_socket(socket.inode);
  }
  return {};
}

}  // namespace icecore::replay
