// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/core_file.h"

#include <elf.h>
#include <sys/user.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "snapshot/symbols/core_notes.h"
#include "snapshot/symbols/sparse_file.h"

namespace icecore::symbols {
namespace {

constexpr std::uint64_t kPageSize = 4096;
constexpr std::size_t kBufferSize = std::size_t{1} << 20U;
constexpr std::uint64_t kUserCode32 = 0x23;

std::uint64_t page_up(std::uint64_t value) { return (value + kPageSize - 1) & ~(kPageSize - 1); }

std::string describe(std::uint64_t start, std::uint64_t end, const std::string& name) {
  std::array<char, 64> range{};
  std::snprintf(range.data(), range.size(), "%lx-%lx", start, end);
  return range.data() + (name.empty() ? std::string() : " " + name);
}

/// Lays out one core: notes, then memory, then the tables that say where everything is. They come
/// last because only reading tells where a mapping cannot be read, which splits its segment.
class CoreWriter {
 public:
  CoreWriter(const ProcessImage& image, const std::string& path)
      : image_(image), file_(path), buffer_(kBufferSize) {}

  CoreSummary write(int current_tid) {
    add_notes(current_tid);
    for (const model::Mapping& mapping : image_.process().mappings()) add_mapping(mapping);
    write_tables();
    file_.commit(offset_);
    summary_.current_tid = current_tid;
    summary_.file_size = offset_;
    summary_.segments = segments_.size();
    summary_.written_bytes = file_.written_bytes();
    return std::move(summary_);
  }

 private:
  void add_notes(int current_tid) {
    const std::vector<std::byte> notes = core_notes(image_, current_tid);
    offset_ = sizeof(Elf64_Ehdr);
    Elf64_Phdr segment{};
    segment.p_type = PT_NOTE;
    segment.p_offset = offset_;
    segment.p_filesz = notes.size();
    segment.p_align = 4;
    segments_.push_back(segment);
    file_.write(offset_, notes);
    offset_ = page_up(offset_ + notes.size());
  }

  static Elf64_Phdr segment_of(const model::Mapping& mapping, std::uint64_t start,
                               std::uint64_t end) {
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = (mapping.readable() ? PF_R : 0U) | (mapping.writable() ? PF_W : 0U) |
                      (mapping.executable() ? PF_X : 0U);
    segment.p_vaddr = start;
    segment.p_memsz = end - start;
    segment.p_align = kPageSize;
    return segment;
  }

  void add_mapping(const model::Mapping& mapping) {
    std::uint64_t address = mapping.start();
    // Reserved address space (PROT_NONE, nothing in it) can be huge: it is named but has no
    // content, as in the kernel's cores.
    const bool is_reserved =
        !mapping.readable() && !mapping.writable() && !mapping.executable() && is_empty(mapping);
    while (address < mapping.end()) {
      const bool has_content = mapping.content() == model::Mapping::HELD && !is_reserved;
      const std::uint64_t end = has_content ? add_content(mapping, address) : mapping.end();
      if (is_reserved) add_without_content(mapping, address, end);
      if (!has_content && !is_reserved) leave_out(mapping, address, end);
      address = end;
    }
  }

  // Adds the readable range that begins at `address`, or the unreadable one; returns its end.
  std::uint64_t add_content(const model::Mapping& mapping, std::uint64_t address) {
    const std::uint64_t end = copy_readable(address, mapping.end());
    if (end > address) {
      Elf64_Phdr segment = segment_of(mapping, address, end);
      segment.p_offset = offset_;
      segment.p_filesz = end - address;
      segments_.push_back(segment);
      offset_ += end - address;
      return end;
    }
    std::uint64_t unreadable_end = address + kPageSize;
    std::byte probe{};
    while (unreadable_end < mapping.end() &&
           image_.read_memory(unreadable_end, std::span(&probe, 1)) == 0) {
      unreadable_end += kPageSize;
    }
    leave_out(mapping, address, unreadable_end);
    return unreadable_end;
  }

  void add_without_content(const model::Mapping& mapping, std::uint64_t start, std::uint64_t end) {
    Elf64_Phdr segment = segment_of(mapping, start, end);
    segment.p_offset = offset_;
    segments_.push_back(segment);
  }

  void leave_out(const model::Mapping& mapping, std::uint64_t start, std::uint64_t end) {
    add_without_content(mapping, start, end);
    summary_.left_out.push_back(describe(start, end, mapping.name()));
  }

  // Copies to where the next segment's content goes, as far as whole pages can be read.
  std::uint64_t copy_readable(std::uint64_t start, std::uint64_t end) {
    std::uint64_t address = start;
    while ((address = image_.next_data(address, end)) < end) {
      const std::size_t wanted = std::min<std::uint64_t>(buffer_.size(), end - address);
      const std::size_t count = image_.read_memory(address, std::span(buffer_).first(wanted)) &
                                ~std::size_t{kPageSize - 1};
      file_.write(offset_ + (address - start), std::span(buffer_).first(count));
      address += count;
      if (count < wanted) break;
    }
    return address;
  }

  bool is_empty(const model::Mapping& mapping) {
    std::uint64_t address = mapping.start();
    while ((address = image_.next_data(address, mapping.end())) < mapping.end()) {
      const std::size_t wanted = std::min<std::uint64_t>(buffer_.size(), mapping.end() - address);
      const auto chunk = std::span(buffer_).first(wanted);
      const auto read = chunk.first(image_.read_memory(address, chunk));
      if (std::ranges::any_of(read, [](std::byte byte) { return byte != std::byte{0}; }))
        return false;
      address += std::max<std::uint64_t>(page_up(read.size()), kPageSize);
    }
    return true;
  }

  void write_tables() {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phoff = offset_;
    header.e_phnum = static_cast<Elf64_Half>(std::min<std::size_t>(segments_.size(), PN_XNUM));
    file_.write(offset_, std::as_bytes(std::span(segments_)));
    offset_ += segments_.size() * sizeof(Elf64_Phdr);
    if (segments_.size() >= PN_XNUM) write_extended_count(header);
    file_.write(0, std::as_bytes(std::span(&header, 1)));
  }

  // More segments than the header can count: the number is in the first section header.
  void write_extended_count(Elf64_Ehdr& header) {
    Elf64_Shdr section{};
    section.sh_info = static_cast<Elf64_Word>(segments_.size());
    header.e_shoff = offset_;
    header.e_shnum = 1;
    header.e_shentsize = sizeof section;
    file_.write(offset_, std::as_bytes(std::span(&section, 1)));
    offset_ += sizeof section;
  }

  const ProcessImage& image_;
  SparseFile file_;
  std::vector<std::byte> buffer_;
  std::vector<Elf64_Phdr> segments_;
  std::uint64_t offset_ = 0;
  CoreSummary summary_;
};

int choose_current(const model::Process& process, int wanted_tid) {
  const std::string name = "process " + std::to_string(process.pid());
  const model::Thread* chosen = nullptr;
  for (const model::Thread& thread : process.threads()) {
    user_regs_struct registers;
    if (thread.registers().size() != sizeof registers) continue;
    std::memcpy(&registers, thread.registers().data(), sizeof registers);
    if (registers.cs == kUserCode32) {
      throw Refused(name + " is a 32-bit program: writing its core is not supported");
    }
    const bool is_better = wanted_tid != 0 ? thread.tid() == wanted_tid
                                           : chosen == nullptr || (chosen->stop_signal() == 0 &&
                                                                   thread.stop_signal() != 0);
    if (is_better) chosen = &thread;
  }
  if (chosen != nullptr) return chosen->tid();
  if (wanted_tid != 0) {
    throw Error(name + " has no thread " + std::to_string(wanted_tid) + " with registers");
  }
  throw Refused(name + " has no thread with registers (has it exited?): it has no core");
}

}  // namespace

CoreSummary write_core_file(const ProcessImage& image, const std::string& path, int current_tid) {
  const int chosen = choose_current(image.process(), current_tid);
  return CoreWriter(image, path).write(chosen);
}

}  // namespace icecore::symbols
