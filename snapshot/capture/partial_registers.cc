// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/partial_registers.h"

#include <sys/user.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>

namespace icecore::snapshot {

bool fill_partial_registers(int pid, int tid, model::Thread& thread) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/syscall");
  std::string line;
  if (!std::getline(file, line)) return false;
  long number = -1;
  std::array<unsigned long long, 6> argument{};
  unsigned long long stack = 0;
  unsigned long long instruction = 0;
  const int count = std::sscanf(line.c_str(), "%ld %llx %llx %llx %llx %llx %llx %llx %llx",
                                &number, &argument[0], &argument[1], &argument[2], &argument[3],
                                &argument[4], &argument[5], &stack, &instruction);
  constexpr int kAllFields = 9;
  if (count != kAllFields) return false;
  user_regs_struct registers{};
  registers.orig_rax = static_cast<unsigned long long>(number);
  registers.rdi = argument[0];
  registers.rsi = argument[1];
  registers.rdx = argument[2];
  registers.r10 = argument[3];
  registers.r8 = argument[4];
  registers.r9 = argument[5];
  registers.rsp = stack;
  registers.rip = instruction;
  thread.set_registers(&registers, sizeof registers);
  return true;
}

}  // namespace icecore::snapshot
