// SPDX-License-Identifier: Apache-2.0
#include "snapshot/tracing/syscall_instruction.h"

#include <fstream>
#include <span>
#include <sstream>
#include <string>

#include "base/error.h"
#include "snapshot/proc/maps.h"
#include "snapshot/tracing/process_memory.h"

namespace icecore::snapshot {

std::uint64_t find_syscall_instruction(int pid) {
  std::stringstream maps;
  maps << std::ifstream("/proc/" + std::to_string(pid) + "/maps").rdbuf();
  for (const auto& line : proc::parse_maps(maps.str())) {
    if (line.name != "[vdso]") continue;
    std::string code(line.end - line.start, '\0');
    if (!read_process(pid, line.start, std::as_writable_bytes(std::span(code)))) break;
    const auto found = code.find("\x0f\x05");
    if (found != std::string::npos) return line.start + found;
    throw Error("the vdso of process " + std::to_string(pid) + " makes no system call");
  }
  throw Error("process " + std::to_string(pid) + " has no vdso");
}

}  // namespace icecore::snapshot
