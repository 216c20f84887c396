// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/seed_image.h"

#include <elf.h>

#include <array>
#include <cstring>

namespace icecore::replay {
namespace {

constexpr std::size_t kCodeOffset = 0x80;
static_assert(kCodeOffset >= sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr));

constexpr std::array<unsigned char, 107> kCode{
    0xb8, 0x22, 0x00, 0x00, 0x00,              // entry: mov eax, SYS_pause
    0x0f, 0x05,                                // syscall
    0xeb, 0xf7,                                // jmp entry
    0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,  // int3
    0x48, 0x83, 0xec, 0x20,                    // init: sub rsp, 32
    0xb8, 0x3d, 0x00, 0x00, 0x00,              // again: mov eax, SYS_wait4
    0x48, 0xc7, 0xc7, 0xff, 0xff, 0xff, 0xff,  // mov rdi, -1
    0x48, 0x8d, 0x74, 0x24, 0x04,              // lea rsi, [rsp+4]
    0xba, 0x00, 0x00, 0x00, 0x40,              // mov edx, __WALL
    0x45, 0x31, 0xd2,                          // xor r10d, r10d
    0x0f, 0x05,                                // syscall
    0x48, 0x85, 0xc0,                          // test rax, rax
    0x78, 0x24,                                // js failed
    0x89, 0x04, 0x24,                          // mov [rsp], eax
    0x4c, 0x39, 0xe0,                          // cmp rax, r12
    0x75, 0x05,                                // jne report
    0x44, 0x8b, 0x6c, 0x24, 0x04,              // mov r13d, [rsp+4]
    0x85, 0xdb,                                // report: test ebx, ebx
    0x78, 0xcf,                                // js again
    0xb8, 0x01, 0x00, 0x00, 0x00,              // mov eax, SYS_write
    0x89, 0xdf,                                // mov edi, ebx
    0x48, 0x89, 0xe6,                          // mov rsi, rsp
    0xba, 0x08, 0x00, 0x00, 0x00,              // mov edx, 8
    0x0f, 0x05,                                // syscall
    0xeb, 0xbc,                                // jmp again
    0x48, 0x83, 0xf8, 0xf6,                    // failed: cmp rax, -ECHILD
    0x75, 0xb6,                                // jne again
    0x44, 0x89, 0xef,                          // mov edi, r13d
    0xc1, 0xef, 0x08,                          // shr edi, 8
    0xb8, 0xe7, 0x00, 0x00, 0x00,              // mov eax, SYS_exit_group
    0x0f, 0x05,                                // syscall
};
static_assert(kSeedSyscall == kSeedAddress + kCodeOffset + 5);
static_assert(kSeedInit == kSeedAddress + kCodeOffset + 16);

}  // namespace

std::vector<std::byte> seed_image() {
  constexpr std::size_t kSize = kCodeOffset + kCode.size();
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_entry = kSeedAddress + kCodeOffset;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = kSeedAddress;
  segment.p_filesz = kSize;
  segment.p_memsz = kSize;
  segment.p_align = 4096;
  std::vector<std::byte> image(kSize);
  std::memcpy(image.data(), &header, sizeof header);
  std::memcpy(image.data() + sizeof header, &segment, sizeof segment);
  std::memcpy(image.data() + kCodeOffset, kCode.data(), kCode.size());
  return image;
}

}  // namespace icecore::replay
