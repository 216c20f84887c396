// SPDX-License-Identifier: Apache-2.0
#include "cli/module_files.h"

#include <array>
#include <fstream>
#include <set>
#include <vector>

#include "base/error.h"
#include "snapshot/link_map.h"

namespace icecore::cli {
namespace {

constexpr std::size_t kChunk = 1U << 20U;

void copy_content(const store::StoredFile& content, const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  std::vector<std::byte> chunk(kChunk);
  for (std::uint64_t offset = 0; offset < content.size();) {
    const std::size_t got = content.read(offset, chunk);
    file.write(reinterpret_cast<const char*>(chunk.data()), static_cast<std::streamsize>(got));
    offset += got;
  }
  if (!file.flush()) throw_errno("write " + path.string());
}

const model::MappedFile* file_at(const snapshot::StoredSnapshot& snapshot,
                                 const model::Process& process, std::uint64_t address) {
  const auto* mapping = snapshot::StoredSnapshot::find_mapping(process, address);
  if (mapping == nullptr || mapping->file() == 0) return nullptr;
  return &snapshot.model().mapped_files(static_cast<int>(mapping->file()) - 1);
}

/// Never above `root`, whatever names the program has in its memory.
std::filesystem::path below(const std::filesystem::path& root, const std::string& path) {
  return root / std::filesystem::path(path).lexically_normal().relative_path();
}

/// The loader's own name of a library, where it differs from the file's.
void add_name(const std::filesystem::path& root, const std::string& name,
              const model::MappedFile& file) {
  const auto link = below(root, name);
  std::error_code error;
  if (!name.starts_with('/') || std::filesystem::exists(link, error)) return;
  std::filesystem::create_directories(link.parent_path(), error);
  std::filesystem::create_symlink(below(root, file.path()), link, error);
}

}  // namespace

std::filesystem::path write_module_files(const snapshot::StoredSnapshot& snapshot,
                                         const model::Process& process,
                                         const std::filesystem::path& root) {
  std::set<std::string> written;
  for (const auto& mapping : process.mappings()) {
    if (!mapping.executable() || mapping.file() == 0) continue;
    const auto& file = snapshot.model().mapped_files(static_cast<int>(mapping.file()) - 1);
    if (file.content().empty() || !written.insert(file.path()).second) continue;
    if (const auto content = snapshot.open_content(file.content())) {
      copy_content(*content, below(root, file.path()));
    }
  }
  const auto libraries = snapshot::LinkMap(snapshot, process).libraries();
  for (const auto& library : libraries.libraries) {
    const auto* file = file_at(snapshot, process, library.dynamic);
    if (file != nullptr && written.contains(file->path())) add_name(root, library.name, *file);
  }
  return written.contains(process.executable()) ? below(root, process.executable())
                                                : std::filesystem::path();
}

}  // namespace icecore::cli
