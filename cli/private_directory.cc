// SPDX-License-Identifier: Apache-2.0
#include "cli/private_directory.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/error.h"

namespace icecore::cli {
namespace {

std::filesystem::path parent_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
  std::error_code error;
  if (runtime != nullptr && std::filesystem::is_directory(runtime, error)) return runtime;
  return std::filesystem::temp_directory_path();
}

}  // namespace

PrivateDirectory::PrivateDirectory() {
  std::string name = (parent_directory() / "icecore.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw_errno("make a directory " + name);  // mode 0700
  path_ = name;
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::filesystem::path PrivateDirectory::write(std::string_view name, std::string_view text) const {
  const auto path = path_ / name;
  std::ofstream file(path);
  if (!(file << text << std::flush)) throw_errno("write " + path.string());
  return path;
}

}  // namespace icecore::cli
