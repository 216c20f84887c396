// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/mapping_plan.h"

#include <sys/mman.h>

#include <array>
#include <bit>
#include <string_view>

#include "base/error.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/proc/smaps.h"

namespace icecore::replay {
namespace {

// asm-generic/mman.h and linux/mman.h; the C library of Debian 12 lacks the newer ones.
constexpr int kMapDroppable = 0x08;
constexpr unsigned kHugeShift = 26;

struct Advice {
  std::string_view flag;
  int advice;
};
constexpr std::array kAdvice = {
    Advice{"hg", MADV_HUGEPAGE},   Advice{"nh", MADV_NOHUGEPAGE}, Advice{"mg", MADV_MERGEABLE},
    Advice{"wf", MADV_WIPEONFORK}, Advice{"dc", MADV_DONTFORK},   Advice{"dd", MADV_DONTDUMP},
    Advice{"rr", MADV_RANDOM},     Advice{"sr", MADV_SEQUENTIAL},
};

bool has(const model::Mapping& mapping, std::string_view flag) {
  return snapshot::proc::has_vm_flag(mapping.flags(), flag);
}

int protection_of(const model::Mapping& mapping) {
  return (mapping.readable() ? PROT_READ : 0) | (mapping.writable() ? PROT_WRITE : 0) |
         (mapping.executable() ? PROT_EXEC : 0);
}

std::string anonymous_name(const std::string& name) {
  constexpr std::string_view kPrivate = "[anon:";
  constexpr std::string_view kShared = "[anon_shmem:";
  for (const auto prefix : {kPrivate, kShared}) {
    if (name.starts_with(prefix) && name.ends_with(']')) {
      return name.substr(prefix.size(), name.size() - prefix.size() - 1);
    }
  }
  return {};
}

}  // namespace

bool is_vdso_part(const std::string& name) { return name == "[vdso]" || name.starts_with("[vvar"); }

bool is_kernel_owned(const model::Mapping& mapping) {
  return is_vdso_part(mapping.name()) || mapping.name() == "[vsyscall]";
}

MappingPlan plan_mapping(const model::Mapping& mapping) {
  MappingPlan plan;
  if (has(mapping, "ss")) {
    throw Refused("mapping " + snapshot::mapping_range(mapping) +
                  ": a shadow stack cannot be made again");
  }
  plan.needs_file = mapping.file() != 0 || mapping.shared_space() != 0;
  plan.flags = mapping.shared() ? MAP_SHARED : MAP_PRIVATE;
  if (!plan.needs_file) plan.flags |= MAP_ANONYMOUS;
  if (has(mapping, "dp")) plan.flags = kMapDroppable | MAP_ANONYMOUS;
  if (has(mapping, "gd") && !plan.needs_file) plan.flags |= MAP_GROWSDOWN;
  if (has(mapping, "nr")) plan.flags |= MAP_NORESERVE;
  if (has(mapping, "ht") && !plan.needs_file) {
    plan.flags |= MAP_HUGETLB | std::countr_zero(mapping.page_size()) << kHugeShift;
  }
  plan.final_protection = protection_of(mapping);
  plan.protection = plan.final_protection;
  // Accounted although not writable: it was, once, and the kernel counts and merges it as such.
  if (has(mapping, "ac") && !mapping.writable() && !mapping.shared()) {
    plan.protection |= PROT_WRITE;
    plan.protect_after = true;
  }
  plan.lock = has(mapping, "lo");
  plan.lock_on_fault = plan.lock && has(mapping, "lf");
  plan.seal = has(mapping, "sl");
  for (const auto& [flag, advice] : kAdvice) {
    // The kernel sets it for locked and device memory by itself.
    if (has(mapping, flag)) plan.advice.push_back(advice);
  }
  plan.anonymous_name = anonymous_name(mapping.name());
  return plan;
}

}  // namespace icecore::replay
