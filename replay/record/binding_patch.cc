// SPDX-License-Identifier: Apache-2.0
#include "replay/record/binding_patch.h"

#include <fcntl.h>
#include <linux/auxvec.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/unique_fd.h"
#include "replay/record/memory_map.h"

namespace icecore::replay {
namespace {

using namespace std::string_literals;

/// glibc, sysdeps/x86_64/dl-trampoline.h: _dl_runtime_resolve_xsavec. rbx is the end of the area
/// that begins at rsp + 0x40; rcx, rsi and rdi are saved, or loaded right behind it.
const std::string kSave = "\x0f\xc7\x64\x24\x40"s;  // xsavec 0x40(%rsp)
const std::string kBehind =
    "\x48\x8b\x73\x10"    // mov 0x10(%rbx), %rsi
    "\x48\x8b\x7b\x08"s;  // mov 0x8(%rbx), %rdi

/// From the vector registers in the legacy area on (0x40 + 160) all is cleared. XSTATE_BV becomes
/// what XCOMP_BV names but for its top bit. MXCSR is left out, too, with unused vector registers;
/// its mask, behind it, nobody reads.
const std::string kRoutine =
    "\x89\xc6"                            // mov %eax, %esi
    "\x48\x8d\xbc\x24\xe0\x00\x00\x00"    // lea 0xe0(%rsp), %rdi
    "\x48\x89\xd9"                        // mov %rbx, %rcx
    "\x48\x29\xf9"                        // sub %rdi, %rcx
    "\x31\xc0"                            // xor %eax, %eax
    "\xf3\xaa"                            // rep stosb
    "\x89\xf0"                            // mov %esi, %eax
    "\x0f\xae\x5c\x24\x58"                // stmxcsr 0x58(%rsp)
    "\x0f\xc7\x64\x24\x40"                // xsavec 0x40(%rsp)
    "\xc7\x44\x24\x5c\x00\x00\x00\x00"    // movl $0, 0x5c(%rsp)
    "\x48\x8b\x8c\x24\x48\x02\x00\x00"    // mov 0x248(%rsp), %rcx
    "\x48\x0f\xba\xf1\x3f"                // btr $63, %rcx
    "\x48\x89\x8c\x24\x40\x02\x00\x00"s;  // mov %rcx, 0x240(%rsp)

constexpr std::size_t kJump = 5;

std::string jump(std::uint64_t from, std::uint64_t to) {
  const auto distance = static_cast<std::uint32_t>(to - from - kJump);
  std::string code("\xe9\0\0\0\0", kJump);
  std::memcpy(code.data() + 1, &distance, sizeof distance);
  return code;
}

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
  // What the file has behind its code, up to the end of the page.
  const std::size_t size = kRoutine.size() + kJump;
  const auto last = bytes.find_last_not_of('\0');
  if (save == std::string::npos || last == std::string::npos || last + size >= bytes.size()) return;
  site_ = Site{code->start + save, code->end - size};
}

void BindingPatch::apply(const TracedMemory& memory) const {
  if (!site_) return;
  const std::uint64_t behind = site_->routine + kRoutine.size();
  memory.write(site_->routine, kRoutine + jump(behind, site_->address + kSave.size()));
  memory.write(site_->address, jump(site_->address, site_->routine));
}

void BindingPatch::take_back(const TracedMemory& memory) const {
  if (!site_) return;
  memory.write(site_->address, kSave);
  memory.write(site_->routine, std::string(kRoutine.size() + kJump, '\0'));
}

bool BindingPatch::covers(std::uint64_t pc) const {
  return site_ && pc >= site_->routine && pc < site_->routine + kRoutine.size() + kJump;
}

}  // namespace icecore::replay
