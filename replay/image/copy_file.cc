// SPDX-License-Identifier: Apache-2.0
#include "replay/image/copy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace icecore::replay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSharedPlace = "/run/icecore";

/// FNV-1a: alike in every build, as the name must be found again.
std::uint32_t hash_of(const std::string& text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

}  // namespace

fs::path copy_file_path(const fs::path& images, std::string_view name) {
  if (::geteuid() != 0) return images / (std::string(name) + ".copy");
  std::array<char, 16> store{};
  std::snprintf(store.data(), store.size(), "%08x", hash_of(images.lexically_normal().string()));
  return fs::path(kSharedPlace) / (std::string(name) + "-" + store.data() + ".copy");
}

void make_copy_file(const fs::path& path) {
  const fs::path directory = path.parent_path();
  if (directory == kSharedPlace && ::mkdir(kSharedPlace, 0755) == 0 &&
      ::chmod(kSharedPlace, 0755) != 0) {
    throw_errno("create " + directory.string());
  }
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd.valid()) throw_errno("create " + path.string());
  // Whatever our umask is.
  if (::fchmod(fd.get(), 0644) != 0) throw_errno("create " + path.string());
}

bool provide_copy_file(const fs::path& path) {
  if (path.parent_path() == kSharedPlace) make_copy_file(path);
  return ::access(path.c_str(), F_OK) == 0;
}

void remove_copy_file(const fs::path& path) {
  std::error_code none;
  fs::remove(path, none);
  if (path.parent_path() == kSharedPlace) ::rmdir(kSharedPlace);
}

}  // namespace icecore::replay
