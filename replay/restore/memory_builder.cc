// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/memory_builder.h"

#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "replay/restore/address_map.h"
#include "replay/restore/mapping_plan.h"
#include "replay/restore/memory_fill.h"
#include "replay/restore/seed_image.h"
#include "snapshot/capture/mappings.h"
#include "snapshot/proc/smaps.h"

namespace icecore::replay {
namespace {

constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, since Linux 6.13
constexpr long kMseal = 462;        // SYS_mseal, since Linux 6.10

std::string text_of(const model::Mapping& mapping) {
  const std::string name = mapping.name().empty() ? "" : " (" + mapping.name() + ")";
  return "mapping " + snapshot::mapping_range(mapping) + name;
}

std::uint64_t size_of(const model::Mapping& mapping) { return mapping.end() - mapping.start(); }

/// Where [vvar], [vvar_vclock] and [vdso] are together; empty when there are none.
AddressRange vdso_of(const std::vector<AddressRange>& ranges) {
  AddressRange bundle;
  for (const auto& range : ranges) {
    if (!is_vdso_part(range.name)) continue;
    if (bundle.end == 0) bundle.start = range.start;
    if (bundle.end != 0 && bundle.end != range.start) {
      throw Refused("the vdso and its data are not in one piece");
    }
    bundle.end = range.end;
  }
  return bundle;
}

bool same_mapping(const model::Mapping& a, const model::Mapping& b) {
  return a.start() == b.start() && a.end() == b.end() && a.readable() == b.readable() &&
         a.writable() == b.writable() && a.executable() == b.executable() &&
         a.shared() == b.shared() && a.offset() == b.offset() && a.name() == b.name() &&
         a.device() == b.device() && a.inode() == b.inode() && a.flags() == b.flags() &&
         a.shared_space() == b.shared_space() && a.file() == b.file() &&
         a.page_size() == b.page_size() && a.guards_size() == 0 && b.guards_size() == 0;
}

/// The first of its mappings attaches a segment whole; the others are parts of it that were given
/// another protection.
void attach(int segment, const model::Mapping& mapping, const MappingPlan& plan, CallBatch& batch) {
  const bool may_write = snapshot::proc::has_vm_flag(mapping.flags(), "mw");
  const int flags = (may_write ? 0 : SHM_RDONLY) | (mapping.executable() ? SHM_EXEC : 0);
  if (mapping.offset() == 0) {
    batch.add(
        SYS_shmat,
        {static_cast<std::uint64_t>(segment), mapping.start(), static_cast<std::uint64_t>(flags)},
        text_of(mapping) + ": shmat");
  }
  batch.add(SYS_mprotect,
            {mapping.start(), size_of(mapping), static_cast<std::uint64_t>(plan.protection)},
            text_of(mapping) + ": mprotect");
}

/// Kept by a fork, and not emptied by it.
bool survives_fork(const MappingPlan& plan) {
  return std::ranges::none_of(
             plan.advice,
             [](int advice) { return advice == MADV_WIPEONFORK || advice == MADV_DONTFORK; }) &&
         !plan.lock && !plan.seal;
}

/// Anonymous, and without anything that the kernel would have to do to pages as they come.
bool can_wait(const model::Mapping& mapping, const MappingPlan& plan) {
  constexpr int kLater = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  return !plan.needs_file && (plan.flags & ~kLater) == 0 && !plan.lock && !plan.seal &&
         mapping.guards_size() == 0 &&
         std::ranges::find(plan.advice, MADV_HUGEPAGE) == plan.advice.end();
}

}  // namespace

/// What is known while one process gets its memory.
struct MemoryBuilder::Work {
  RestoredProcess& process;
  const RestoredProcess* image;
  std::vector<AddressRange> now{};
  std::vector<AddressRange> wanted{};
  std::vector<const model::Mapping*> fresh{};
  std::vector<const model::Mapping*> kept{};
  std::map<const model::Mapping*, MappingPlan> plans{};
  std::vector<UniqueFd> opened{};
  std::map<std::uint32_t, int> file_indexes{};   ///< Mapping.file -> index into `files`
  std::map<std::uint64_t, int> space_indexes{};  ///< Mapping.shared_space -> the same
  std::vector<int> files{};                      ///< ours
  std::vector<int> numbers{};                    ///< the puppet's
};

MemoryBuilder::MemoryBuilder(const snapshot::StoredSnapshot& snapshot, const SharedObjects& shared,
                             const Transport& transport, Files files)
    : snapshot_(snapshot), shared_(shared), transport_(transport), files_(std::move(files)) {}

void MemoryBuilder::build(RestoredProcess& process, const RestoredProcess* image) {
  Work work{process, image};
  if (image == nullptr && seed_.empty()) seed_ = mapped_now(process.puppet.pid());
  work.now = image == nullptr ? seed_ : image->mapped;
  work.wanted = mapped_in(*process.model);
  for (const auto& mapping : process.model->mappings()) {
    if (is_kernel_owned(mapping)) continue;
    auto plan = plan_mapping(mapping);
    bool keep = false;
    if (image != nullptr && survives_fork(plan)) {
      const auto* other = snapshot::StoredSnapshot::find_mapping(*image->model, mapping.start());
      keep = other != nullptr && same_mapping(mapping, *other);
    }
    (keep ? work.kept : work.fresh).push_back(&mapping);
    process.has_seals |= plan.seal;
    work.plans.emplace(&mapping, std::move(plan));
  }
  find_place(work);
  send_files(work);
  clear(work);
  move_vdso(work);
  map(work);
  fill(work);
  finish(work);
  set_layout(work);
  if (may_be_late(work)) files_.late->begin(process);
  process.mapped = std::move(work.wanted);
  process.mapped.push_back({process.puppet.area(), process.puppet.area() + Puppet::kAreaSize, ""});
}

/// The area moves out of the way of what is to come.
void MemoryBuilder::find_place(Work& work) {
  Puppet& puppet = work.process.puppet;
  const std::uint64_t old = puppet.area();
  const auto end = old + Puppet::kAreaSize;
  if (!overlaps(work.wanted, old - store::kPageSize, end + store::kPageSize)) return;
  auto taken = work.wanted;
  taken.insert(taken.end(), work.now.begin(), work.now.end());
  const std::uint64_t place = find_hole(std::move(taken), Puppet::kAreaSize);
  // The walker's own `syscall`: the area is the only code that we know to be there.
  puppet.move_in(place, old + Puppet::kSyscallOffset);
  work.now.push_back({place, place + Puppet::kAreaSize, ""});
}

void MemoryBuilder::clear(Work& work) {
  Puppet& puppet = work.process.puppet;
  CallBatch batch(puppet, puppet.pid());
  const auto is_kept = [&](const AddressRange& range) {
    if (range.start >= puppet.area() && range.end <= puppet.area() + Puppet::kAreaSize) return true;
    return is_vdso_part(range.name) || std::ranges::any_of(work.kept, [&](const auto* mapping) {
             return mapping->start() <= range.start && range.end <= mapping->end();
           });
  };
  for (const auto& range : work.now) {
    if (is_kept(range)) continue;
    batch.add(SYS_munmap, {range.start, range.end - range.start}, "clearing the address space");
  }
  batch.run();
}

void MemoryBuilder::move_vdso(Work& work) {
  const AddressRange now = vdso_of(work.now);
  const AddressRange wanted = vdso_of(work.wanted);
  const std::uint64_t size = now.end - now.start;
  if (wanted.end == 0 || now.start == wanted.start) return;
  if (wanted.end - wanted.start != size) {
    throw Refused("the vdso of this kernel has another size than that of the snapshot");
  }
  Puppet& puppet = work.process.puppet;
  CallBatch batch(puppet, puppet.pid());
  std::uint64_t from = now.start;
  const auto move = [&](std::uint64_t to) {
    batch.add(SYS_mremap, {from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to}, "moving the vdso");
    from = to;
  };
  if (now.start < wanted.end && wanted.start < now.end) {
    auto taken = work.wanted;
    taken.push_back(now);
    taken.push_back({puppet.area(), puppet.area() + Puppet::kAreaSize});
    move(find_hole(std::move(taken), size));
  }
  move(wanted.start);
  batch.run();
}

/// The index into Work::files of what `mapping` maps.
int MemoryBuilder::file_for(const model::Mapping& mapping, Work& work) {
  const bool shared = mapping.shared_space() != 0;
  if (shared) {
    const auto [entry, added] =
        work.space_indexes.emplace(mapping.shared_space(), static_cast<int>(work.files.size()));
    if (added) work.files.push_back(shared_.descriptor(mapping.shared_space()));
    return entry->second;
  }
  const auto [entry, added] =
      work.file_indexes.emplace(mapping.file(), static_cast<int>(work.files.size()));
  if (added) {
    work.opened.push_back(files_.open_mapped(mapping));
    work.files.push_back(work.opened.back().get());
  }
  return entry->second;
}

void MemoryBuilder::send_files(Work& work) {
  for (const auto* mapping : work.fresh) {
    if (work.plans.at(mapping).needs_file && !shared_.segment(mapping->shared_space())) {
      with_context(text_of(*mapping), [&] { file_for(*mapping, work); });
    }
  }
  work.opened.push_back(files_.open_executable(*work.process.model));
  work.files.push_back(work.opened.back().get());
  work.numbers = transport_.send(work.process.puppet, work.files);
}

void MemoryBuilder::map(Work& work) {
  Puppet& puppet = work.process.puppet;
  CallBatch batch(puppet, puppet.pid());
  for (const auto* mapping : work.fresh) {
    const auto& plan = work.plans.at(mapping);
    if (const auto segment = shared_.segment(mapping->shared_space())) {
      attach(*segment, *mapping, plan, batch);
      continue;
    }
    std::uint64_t file = ~0ULL;
    if (plan.needs_file) {
      file = static_cast<std::uint64_t>(
          work.numbers[static_cast<std::size_t>(file_for(*mapping, work))]);
    }
    batch.add(SYS_mmap,
              {mapping->start(), size_of(*mapping), static_cast<std::uint64_t>(plan.protection),
               static_cast<std::uint64_t>(plan.flags | MAP_FIXED_NOREPLACE), file,
               plan.needs_file ? mapping->offset() : 0},
              text_of(*mapping));
    // Before it is filled, so that it has them from the first fault.
    if (std::ranges::find(plan.advice, MADV_HUGEPAGE) != plan.advice.end()) {
      batch.add(SYS_madvise, {mapping->start(), size_of(*mapping), MADV_HUGEPAGE},
                text_of(*mapping) + ": huge pages");
    }
  }
  batch.run();
}

void MemoryBuilder::fill_anew(const model::Process& process, const model::Mapping& mapping,
                              std::vector<PageFill>& fills) {
  const bool nothing_below = mapping.file() == 0;
  const store::PageRange range{mapping.start() / store::kPageSize,
                               size_of(mapping) / store::kPageSize};
  for (const auto& run : snapshot_.reader().present(store::SpaceId{process.space()}, range)) {
    fills.push_back({run.first, run.count, nothing_below});
  }
}

/// Only pages that differ from those of the process it was forked from are written.
void MemoryBuilder::fill_kept(const model::Mapping& mapping, Work& work,
                              std::vector<PageFill>& fills) {
  const auto& reader = snapshot_.reader();
  const store::SpaceId own{work.process.model->space()};
  const store::SpaceId other{work.image->model->space()};
  if (own == other) return;  // a fork of a bank: the pages are its own
  const store::PageRange range{mapping.start() / store::kPageSize,
                               size_of(mapping) / store::kPageSize};
  CallBatch batch(work.process.puppet, work.process.puppet.pid());
  for (const auto& run : reader.differing(own, other, range)) {
    for (std::uint64_t page = run.first; page < run.first + run.count; ++page) {
      if (reader.version(own, page).kind == store::PageVersion::Kind::Absent) {
        batch.add(SYS_madvise, {page * store::kPageSize, store::kPageSize, MADV_DONTNEED},
                  text_of(mapping));
      } else {
        fills.push_back({page, 1, false});
      }
    }
  }
  batch.run();
}

/// Nothing of what is to be a process of its own is forked from it, and so gets its memory; nor is
/// it such a fork itself, but that of a bank.
bool MemoryBuilder::may_be_late(const Work& work) const {
  const bool own_memory =
      work.image == nullptr || work.image->model->space() == work.process.model->space();
  const auto is_child = [&](const model::Process& other) {
    return other.parent_pid() == work.process.model->pid();
  };
  return files_.late != nullptr && own_memory &&
         std::ranges::none_of(snapshot_.model().processes(), is_child);
}

void MemoryBuilder::fill(Work& work) {
  std::vector<PageFill> fills;
  const bool late = may_be_late(work);
  const auto has_own_pages = [](const model::Mapping& mapping) {
    return mapping.shared_space() == 0 && mapping.content() == model::Mapping::HELD;
  };
  for (const auto* mapping : work.fresh) {
    if (!has_own_pages(*mapping)) continue;
    std::vector<PageFill> its;
    fill_anew(*work.process.model, *mapping, its);
    if (late && can_wait(*mapping, work.plans.at(mapping))) {
      its = files_.late->put_off(*work.process.model, *mapping, its);
    }
    fills.insert(fills.end(), its.begin(), its.end());
  }
  for (const auto* mapping : work.kept) {
    if (has_own_pages(*mapping)) fill_kept(*mapping, work, fills);
  }
  fill_pages(snapshot_, files_.pages, work.process.model->space(), work.process.puppet.pid(),
             fills);
}

void MemoryBuilder::add_guards(const model::Mapping& mapping, CallBatch& batch) {
  for (int i = 0; i + 1 < mapping.guards_size(); i += 2) {
    batch.add(SYS_madvise,
              {mapping.guards(i), mapping.guards(i + 1) - mapping.guards(i), kGuardInstall},
              text_of(mapping) + ": guard region");
  }
}

void MemoryBuilder::lock(const model::Mapping& mapping, unsigned flags, CallBatch& batch) {
  const CallBatch::Arguments range{mapping.start(), size_of(mapping), flags};
  const std::string what = text_of(mapping) + ": mlock";
  if (mapping.guards().empty()) {
    batch.add(SYS_mlock2, range, what);
    return;
  }
  // None can be put on locked memory; and the kernel, which cannot fault them in, locks it but says
  // ENOMEM.
  add_guards(mapping, batch);
  batch.add(SYS_mlock2, range, [what](std::int64_t result) {
    if (result != 0 && result != -ENOMEM) throw_errno(what, static_cast<int>(-result));
  });
}

void MemoryBuilder::finish(Work& work) {
  Puppet& puppet = work.process.puppet;
  CallBatch batch(puppet, puppet.pid());
  for (const auto* mapping : work.fresh) {
    const auto& plan = work.plans.at(mapping);
    const std::uint64_t start = mapping->start();
    const std::uint64_t size = size_of(*mapping);
    const std::string what = text_of(*mapping);
    if (plan.protect_after) {
      batch.add(SYS_mprotect, {start, size, static_cast<std::uint64_t>(plan.final_protection)},
                what + ": mprotect");
    }
    for (const int advice : plan.advice) {
      batch.add(SYS_madvise, {start, size, static_cast<std::uint64_t>(advice)}, what + ": madvise");
    }
    if (plan.lock) lock(*mapping, plan.lock_on_fault ? unsigned{MLOCK_ONFAULT} : 0U, batch);
    if (!plan.anonymous_name.empty()) {
      const auto name = batch.put_text(plan.anonymous_name);
      // A kernel without names for anonymous memory is no reason to refuse.
      batch.add(SYS_prctl, {PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, size, name},
                [](std::int64_t) {});
    }
  }
  // When all neighbours have their own flags: until then the kernel has made one of those that were
  // alike, and would keep in mind for all of them that they may have guards.
  for (const auto* mapping : work.fresh) {
    if (!work.plans.at(mapping).lock) add_guards(*mapping, batch);
  }
  batch.run();
}

/// What /proc/PID/stat, cmdline, environ, auxv and exe show.
void MemoryBuilder::set_layout(Work& work) {
  const auto& process = *work.process.model;
  const auto& layout = process.layout();
  Puppet& puppet = work.process.puppet;
  CallBatch batch(puppet, puppet.pid());
  prctl_mm_map map{};
  map.start_code = layout.start_code();
  map.end_code = layout.end_code();
  map.start_data = layout.start_data();
  map.end_data = layout.end_data();
  map.start_brk = layout.start_brk();
  map.brk = layout.brk();
  map.start_stack = layout.start_stack();
  map.arg_start = layout.arg_start();
  map.arg_end = layout.arg_end();
  map.env_start = layout.env_start();
  map.env_end = layout.env_end();
  // A fork has its parent's, which cannot be replaced while it is mapped.
  const bool same_program =
      work.image != nullptr && work.image->model->executable() == process.executable();
  map.exe_fd = same_program ? ~0U : static_cast<std::uint32_t>(work.numbers.back());
  map.auxv = reinterpret_cast<__u64*>(batch.put(std::as_bytes(std::span(process.auxv()))));
  map.auxv_size = static_cast<std::uint32_t>(process.auxv().size());
  const auto address = batch.put_struct(map);
  batch.add(SYS_prctl, {PR_SET_MM, PR_SET_MM_MAP, address, sizeof map},
            "process " + std::to_string(inner_pid(process)) + ": setting its memory layout");
  batch.add(SYS_close_range, {0, static_cast<std::uint64_t>(transport_.number()) - 1, 0},
            "closing mapped files");
  batch.run();
}

void MemoryBuilder::seal(RestoredProcess& process) {
  if (!process.has_seals) return;
  CallBatch batch(process.puppet, process.puppet.pid());
  for (const auto& mapping : process.model->mappings()) {
    if (is_kernel_owned(mapping) || !plan_mapping(mapping).seal) continue;
    batch.add(kMseal, {mapping.start(), size_of(mapping), 0}, text_of(mapping) + ": mseal");
  }
  batch.run();
}

}  // namespace icecore::replay
