// SPDX-License-Identifier: Apache-2.0
#include "replay/image/parking.h"

#include <sys/user.h>

#include <array>
#include <span>

#include "base/error.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {
namespace {

// Behind the walker, on its page.
constexpr std::uint64_t kParking = 2048;
constexpr std::array<unsigned char, 9> kLoop{
    0xb8, 0x22, 0x00, 0x00, 0x00,  // again: mov eax, SYS_pause
    0x0f, 0x05,                    // syscall
    0xeb, 0xf7,                    // jmp again
};

}  // namespace

void park(const Puppet& puppet) {
  puppet.write(puppet.area() + kParking, std::as_bytes(std::span(kLoop)));
  auto registers = snapshot::ptrace_call::registers(puppet.pid());
  if (!registers) throw Error("process " + std::to_string(puppet.pid()) + " died");
  registers->orig_rax = ~0ULL;
  registers->rip = puppet.area() + kParking;
  snapshot::ptrace_call::set_registers(puppet.pid(), *registers);
}

}  // namespace icecore::replay
