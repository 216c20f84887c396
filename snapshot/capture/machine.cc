// SPDX-License-Identifier: Apache-2.0
#include "snapshot/capture/machine.h"

#include <cpuid.h>
#include <sys/utsname.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/cpuinfo.h"
#include "snapshot/proc/text.h"

namespace icecore::snapshot {
namespace {

constexpr unsigned kXsaveLeaf = 0xD;

// By its bytes: the intrinsic needs -mxsave for the whole file.
std::uint64_t read_xcr0() {
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32U | low;
}

void fill_xsave(model::Machine& machine) {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kOsxsave = 1U << 27U;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsxsave) == 0) return;
  machine.set_xcr0(read_xcr0());
  for (unsigned number = 2; number < 63; ++number) {
    if ((machine.xcr0() >> number & 1U) == 0) continue;
    if (__get_cpuid_count(kXsaveLeaf, number, &a, &b, &c, &d) == 0 || a == 0) continue;
    model::XsaveComponent& component = *machine.add_xsave_components();
    component.set_number(number);
    component.set_offset(b);
    component.set_size(a);
  }
}

}  // namespace

std::string boot_id() {
  const std::string text = ProcDirectory::read_file("/proc/sys/kernel/random/boot_id");
  std::string_view rest = text;
  return std::string(proc::take_line(rest));
}

void capture_machine(model::Machine& machine) {
  utsname names{};
  if (::uname(&names) == 0) {
    machine.set_kernel_release(names.release);
    machine.set_hostname(names.nodename);
  }
  machine.set_boot_id(boot_id());
  const proc::CpuInfo cpu = proc::parse_cpuinfo(ProcDirectory::read_file("/proc/cpuinfo"));
  machine.set_cpu_model(cpu.model);
  machine.mutable_cpu_flags()->Assign(cpu.flags.begin(), cpu.flags.end());
  fill_xsave(machine);
}

}  // namespace icecore::snapshot
