// SPDX-License-Identifier: Apache-2.0
#include "replay/record/binding_patch.h"

#include <fcntl.h>
#include <linux/auxvec.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/unique_fd.h"
#include "replay/record/memory_map.h"
#include "snapshot/tracing/stopped_thread.h"

namespace icecore::replay {
namespace {

using namespace std::string_literals;

/// glibc, sysdeps/x86_64/dl-trampoline.h: _dl_runtime_resolve_xsavec. The area begins at rsp + 0x40
/// and ends at rbx; rax holds what is to be saved, rdx is 0. rcx, rsi and rdi are saved, or loaded
/// right behind.
const std::string kSave =
    "\x48\x89\x94\x24\x50\x02\x00\x00"  // mov %rdx, 0x250(%rsp): the area's header
    "\x48\x89\x94\x24\x58\x02\x00\x00"  // mov %rdx, 0x258(%rsp)
    "\x48\x89\x94\x24\x60\x02\x00\x00"  // mov %rdx, 0x260(%rsp)
    "\x48\x89\x94\x24\x68\x02\x00\x00"  // mov %rdx, 0x268(%rsp)
    "\x48\x89\x94\x24\x70\x02\x00\x00"  // mov %rdx, 0x270(%rsp)
    "\x48\x89\x94\x24\x78\x02\x00\x00"  // mov %rdx, 0x278(%rsp)
    "\x0f\xc7\x64\x24\x40"s;            // xsavec 0x40(%rsp)
const std::string kBehind =
    "\x48\x8b\x73\x10"    // mov 0x10(%rbx), %rsi
    "\x48\x8b\x7b\x08"s;  // mov 0x8(%rbx), %rdi

/// In the place of kSave, so that a debugger that unwinds or steps there knows what it sees. From
/// the vector registers in the legacy area on (0x40 + 160) all is cleared. XSTATE_BV becomes what
/// XCOMP_BV names, whose lower half is without its mark. MXCSR is left out, too, with unused vector
/// registers; its mask, behind it, nobody reads.
const std::string kSameSave =
    "\x48\x8d\xbc\x24\xe0\x00\x00\x00"  // lea 0xe0(%rsp), %rdi
    "\x89\xd9"                          // mov %ebx, %ecx
    "\x29\xf9"                          // sub %edi, %ecx
    "\xc1\xe9\x03"                      // shr $3, %ecx
    "\x89\xc6"                          // mov %eax, %esi
    "\x31\xc0"                          // xor %eax, %eax
    "\xf3\x48\xab"                      // rep stosq
    "\x89\xf0"                          // mov %esi, %eax
    "\x0f\xae\x5c\x24\x58"              // stmxcsr 0x58(%rsp)
    "\x0f\xc7\x64\x24\x40"              // xsavec 0x40(%rsp)
    "\x89\x54\x24\x5c"                  // mov %edx, 0x5c(%rsp)
    "\x8b\x8c\x24\x48\x02\x00\x00"      // mov 0x248(%rsp), %ecx
    "\x89\x8c\x24\x40\x02\x00\x00"      // mov %ecx, 0x240(%rsp)
    "\x90"s;                            // nop

/// Where ld.so is loaded; 0 when the program needs none.
std::uint64_t interpreter_base(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/auxv";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<std::uint64_t, 128> words{};
  const ssize_t got = file.valid() ? ::read(file.get(), words.data(), sizeof words) : 0;
  for (std::size_t i = 0; got > 0 && i + 1 < static_cast<std::size_t>(got) / 8; i += 2) {
    if (words[i] == AT_BASE) return words[i + 1];
  }
  return 0;
}

std::optional<MappedRange> interpreter_code(int pid) {
  const std::uint64_t base = interpreter_base(pid);
  const auto mappings = mappings_of(pid);
  const auto first = std::ranges::find(mappings, base, &MappedRange::start);
  if (base == 0 || first == mappings.end()) return std::nullopt;
  const auto code = std::ranges::find_if(mappings, [&](const MappedRange& mapping) {
    return mapping.name == first->name && mapping.executable && !mapping.writable;
  });
  return code == mappings.end() ? std::nullopt : std::optional(*code);
}

}  // namespace

BindingPatch::BindingPatch(int pid) {
  const auto code = interpreter_code(pid);
  if (!code) return;
  std::string bytes(code->end - code->start, '\0');
  bytes.resize(TracedMemory(pid).read_some(code->start, std::as_writable_bytes(std::span(bytes))));
  const auto save = bytes.find(kSave + kBehind);
  if (save == std::string::npos) return;
  site_ = code->start + save;
  if (covers(snapshot::registers_of(pid).rip)) site_.reset();
}

void BindingPatch::apply(const TracedMemory& memory) const {
  if (site_) memory.write(*site_, kSameSave);
}

void BindingPatch::take_back(const TracedMemory& memory) const {
  if (site_) memory.write(*site_, kSave);
}

bool BindingPatch::covers(std::uint64_t pc) const {
  return site_ && pc > *site_ && pc < *site_ + kSameSave.size();
}

}  // namespace icecore::replay
