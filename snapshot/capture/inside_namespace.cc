// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/inside_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <exception>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::snapshot {
namespace {

bool are_the_same(const char* a, const char* b) {
  struct stat one {};
  struct stat other {};
  return ::stat(a, &one) == 0 && ::stat(b, &other) == 0 && one.st_ino == other.st_ino &&
         one.st_dev == other.st_dev;
}

}  // namespace

void inside_namespace(NamespaceKind kind, int pid, const std::function<void()>& work) {
  const std::string name = kind == NamespaceKind::Ipc ? "/ns/ipc" : "/ns/uts";
  const int flag = kind == NamespaceKind::Ipc ? CLONE_NEWIPC : CLONE_NEWUTS;
  const std::string path = "/proc/" + std::to_string(pid) + name;
  if (are_the_same(path.c_str(), ("/proc/self" + name).c_str())) {
    work();
    return;
  }
  const UniqueFd space(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!space.valid()) throw_errno("open " + path);
  std::exception_ptr failure;
  std::jthread([&] {
    try {
      if (::setns(space.get(), flag) != 0) {
        throw_errno("entering " + path);
      }
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace icecore::snapshot
