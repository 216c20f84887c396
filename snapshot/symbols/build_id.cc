// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/build_id.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "snapshot/symbols/elf_handle.h"
#include "snapshot/symbols/image_memory.h"

namespace icecore::symbols {
namespace {

// A build-id note is 36 bytes; a PT_NOTE segment with all notes seldom more than 200.
constexpr std::uint64_t kMaxNotes = 65536;

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

// Walks the notes of a PT_NOTE segment. `alignment` is 4, or 8 for segments that say so.
std::string build_id_in_notes(std::span<const std::byte> notes, std::uint64_t alignment) {
  const auto align = [&](std::uint64_t value) {
    return (value + alignment - 1) & ~(alignment - 1);
  };
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr header;
    std::memcpy(&header, notes.data(), sizeof header);
    const std::uint64_t content = align(sizeof header + std::uint64_t{header.n_namesz});
    if (content + header.n_descsz > notes.size()) break;
    const bool is_gnu =
        header.n_namesz == 4 && std::memcmp(notes.data() + sizeof header, ELF_NOTE_GNU, 4) == 0;
    if (is_gnu && header.n_type == NT_GNU_BUILD_ID) {
      return to_hex(notes.subspan(content, header.n_descsz));
    }
    notes = notes.subspan(std::min<std::uint64_t>(notes.size(), align(content + header.n_descsz)));
  }
  return {};
}

std::uint64_t note_alignment(std::uint64_t alignment) { return alignment == 8 ? 8 : 4; }

// The usual CRC-32, a byte at a time.
constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit) {
      table[i] = (table[i] >> 1U) ^ (0xedb88320U & (0U - (table[i] & 1U)));
    }
  }
  return table;
}();

// Candidates by debug link carry no id: the CRC-32 of the whole file decides.
std::uint32_t crc32_of_file(int fd) {
  std::array<std::byte, 65536> buffer;
  std::uint32_t crc = ~0U;
  off_t offset = 0;
  while (true) {
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (count < 0) throw_errno("read a debug file");
    if (count == 0) return ~crc;
    offset += count;
    for (const std::byte byte : std::span(buffer).first(static_cast<std::size_t>(count))) {
      crc = kCrcTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xffU] ^ (crc >> 8U);
    }
  }
}

}  // namespace

std::string read_build_id(int fd) {
  const ElfHandle elf(fd);
  std::size_t count = 0;
  if (!elf.valid() || ::elf_getphdrnum(elf.get(), &count) != 0) return {};
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (::gelf_getphdr(elf.get(), static_cast<int>(i), &segment) == nullptr) continue;
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMaxNotes) continue;
    std::vector<std::byte> notes(segment.p_filesz);
    const ssize_t size =
        ::pread(fd, notes.data(), notes.size(), static_cast<off_t>(segment.p_offset));
    if (size < 0) continue;
    notes.resize(static_cast<std::size_t>(size));
    auto id = build_id_in_notes(notes, note_alignment(segment.p_align));
    if (!id.empty()) return id;
  }
  return {};
}

std::string read_build_id(const ProcessImage& image, std::uint64_t start) {
  const auto header = read_value<Elf64_Ehdr>(image, start);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return {};
  if (header->e_ident[EI_CLASS] != ELFCLASS64) return {};
  std::optional<std::uint64_t> bias;
  std::vector<Elf64_Phdr> notes;
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const auto segment =
        read_value<Elf64_Phdr>(image, start + header->e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return {};
    if (segment->p_type == PT_NOTE && segment->p_memsz <= kMaxNotes) notes.push_back(*segment);
    if (segment->p_type != PT_LOAD || bias) continue;
    bias = start - ((segment->p_vaddr - segment->p_offset) & ~std::uint64_t{4095});
  }
  if (!bias) return {};
  for (const Elf64_Phdr& segment : notes) {
    auto id = build_id_in_notes(read_bytes(image, *bias + segment.p_vaddr, segment.p_memsz),
                                note_alignment(segment.p_align));
    if (!id.empty()) return id;
  }
  return {};
}

std::vector<std::byte> build_id_bytes(const std::string& hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    const char* const pair = hex.data() + i;
    const auto [parsed, error] =
        std::from_chars(pair, pair + std::min<std::size_t>(2, hex.size() - i), value, 16);
    if (error != std::errc{} || parsed != pair + 2) {
      throw Error("build-id \"" + hex + "\" is not pairs of hexadecimal kDigits");
    }
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

std::optional<DebugLink> read_debug_link(int fd) {
  const ElfHandle elf(fd);
  std::size_t names = 0;
  if (!elf.valid() || ::elf_getshdrstrndx(elf.get(), &names) != 0) return std::nullopt;
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf.get(), section)) != nullptr;) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS) continue;
    const char* name = ::elf_strptr(elf.get(), names, header.sh_name);
    if (name == nullptr || std::strcmp(name, ".gnu_debuglink") != 0) continue;
    const Elf_Data* data = ::elf_rawdata(section, nullptr);
    if (data == nullptr || data->d_size < 8) return std::nullopt;
    const auto* bytes = static_cast<const char*>(data->d_buf);
    DebugLink link{.name = std::string(bytes, ::strnlen(bytes, data->d_size - 4)), .crc = 0};
    std::memcpy(&link.crc, bytes + data->d_size - 4, sizeof link.crc);
    return link;
  }
  return std::nullopt;
}

std::vector<std::string> debug_file_candidates(int fd, const std::string& path,
                                               const std::string& debug_directory) {
  std::vector<std::string> candidates;
  if (const std::string id = read_build_id(fd); id.size() > 2) {
    candidates.push_back(debug_directory + "/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) +
                         ".debug");
  }
  const auto link = read_debug_link(fd);
  // A link with a slash could lead anywhere.
  if (!link || link->name.empty() || link->name.find('/') != std::string::npos) return candidates;
  const std::string directory = std::filesystem::path(path).parent_path().string();
  candidates.push_back(directory + "/" + link->name);
  candidates.push_back(directory + "/.debug/" + link->name);
  candidates.push_back(debug_directory + directory + "/" + link->name);
  return candidates;
}

DebugFile find_debug_file(int fd, const std::string& path, const std::string& debug_directory) {
  const std::string id = read_build_id(fd);
  const auto link = read_debug_link(fd);
  struct stat original {};
  if (::fstat(fd, &original) != 0) throw_errno("fstat " + path);
  for (const std::string& candidate : debug_file_candidates(fd, path, debug_directory)) {
    UniqueFd found(::open(candidate.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!found.valid() || ::fstat(found.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (status.st_dev == original.st_dev && status.st_ino == original.st_ino) continue;
    const std::string found_id = read_build_id(found.get());
    const bool belongs = !id.empty() && !found_id.empty()
                             ? id == found_id
                             : link && crc32_of_file(found.get()) == link->crc;
    if (belongs) return {.fd = std::move(found), .path = candidate};
  }
  return {};
}

}  // namespace icecore::symbols
