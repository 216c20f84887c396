// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/inner_tracers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace icecore::snapshot {
namespace {

// Names in a string table of ELF lie between zeros.
constexpr std::string_view kName{"\0ptrace", 8};
// Debuggers have some 10 MiB; a browser is not worth a scan of 200.
constexpr off_t kLargest = 64 << 20;

bool names_ptrace(int executable, off_t size) {
  if (size <= 0 || size > kLargest) return false;
  const auto length = static_cast<std::size_t>(size);
  void* bytes = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, executable, 0);
  if (bytes == MAP_FAILED) return false;
  const bool found = ::memmem(bytes, length, kName.data(), kName.size()) != nullptr;
  ::munmap(bytes, length);
  return found;
}

}  // namespace

bool InnerTracers::can_trace(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/exe";
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  const std::pair file{status.st_dev, status.st_ino};
  const auto known = known_.find(file);
  if (known != known_.end()) return known->second;
  const UniqueFd executable(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const bool can = executable.valid() && names_ptrace(executable.get(), status.st_size);
  return known_[file] = can;
}

}  // namespace icecore::snapshot
