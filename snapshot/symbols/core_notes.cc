// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/core_notes.h"

#include <elf.h>
#include <sys/procfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "base/byte_writer.h"
#include "snapshot/symbols/xsave_layout.h"

namespace icecore::symbols {
namespace {

// The part of an XSAVE image that FXSAVE knows; its last 48 bytes are the kernel's own.
constexpr std::size_t kFxsaveSize = 512;
constexpr std::size_t kFxsaveReserved = 464;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

template <typename Struct>
std::span<const std::byte> bytes_of_struct(const Struct& value) {
  return std::as_bytes(std::span(&value, 1));
}

void pad_to_words(ByteWriter& writer) {
  while (writer.size() % 4 != 0) writer.write(std::uint8_t{0});
}

void add_note(ByteWriter& writer, std::string_view owner, std::uint32_t type,
              std::span<const std::byte> content) {
  writer.write(static_cast<std::uint32_t>(owner.size() + 1));
  writer.write(static_cast<std::uint32_t>(content.size()));
  writer.write(type);
  writer.append(bytes_of(owner));
  writer.write(std::uint8_t{0});
  pad_to_words(writer);
  writer.append(content);
  pad_to_words(writer);
}

timeval time_of_ticks(std::uint64_t ticks) {
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return {.tv_sec = static_cast<time_t>(ticks / per_second),
          .tv_usec = static_cast<suseconds_t>(ticks % per_second * 1'000'000 / per_second)};
}

// As in the kernel's cores the signal is that of the process, in every thread: debuggers take the
// last.
elf_prstatus prstatus(const model::Process& process, const model::Thread& thread, int signal) {
  elf_prstatus status{};
  status.pr_info.si_signo = signal;
  status.pr_cursig = static_cast<short>(signal);
  status.pr_sigpend = thread.pending_mask();
  status.pr_sighold = thread.signal_mask();
  status.pr_pid = thread.tid();
  status.pr_ppid = process.parent_pid();
  status.pr_pgrp = process.process_group();
  status.pr_sid = process.session();
  status.pr_utime = time_of_ticks(thread.user_time_ticks());
  status.pr_stime = time_of_ticks(thread.system_time_ticks());
  const std::string& registers = thread.registers();
  std::memcpy(&status.pr_reg, registers.data(), std::min(registers.size(), sizeof status.pr_reg));
  status.pr_fpvalid = thread.xstate().size() >= kFxsaveSize ? 1 : 0;
  return status;
}

void copy_text(std::span<char> to, std::string text) {
  std::ranges::replace(text, '\0', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  std::memcpy(to.data(), text.data(), std::min(text.size(), to.size() - 1));
}

elf_prpsinfo prpsinfo(const model::Process& process, const model::Thread& thread) {
  elf_prpsinfo info{};
  // The kernel writes the index of the letter in this string.
  const char letter = thread.state().empty() ? 'R' : thread.state().front();
  const std::size_t state = std::string_view("RSDTZW").find(letter);
  info.pr_state = state == std::string_view::npos ? '\0' : static_cast<char>(state);
  info.pr_sname = letter;
  info.pr_zomb = letter == 'Z' ? '\1' : '\0';
  info.pr_nice = static_cast<char>(thread.nice());
  info.pr_uid = process.credentials().uid();
  info.pr_gid = process.credentials().gid();
  info.pr_pid = process.pid();
  info.pr_ppid = process.parent_pid();
  info.pr_pgrp = process.process_group();
  info.pr_sid = process.session();
  copy_text(info.pr_fname, process.comm());
  copy_text(info.pr_psargs, process.command_line());
  return info;
}

// Count, page size, then start, end and file page of each, then the names.
std::vector<std::byte> file_note(const model::Process& process) {
  constexpr std::uint64_t kPageSize = 4096;
  ByteWriter ranges;
  ByteWriter names;
  std::uint64_t count = 0;
  for (const model::Mapping& mapping : process.mappings()) {
    if (!mapping.name().starts_with('/')) continue;
    ++count;
    ranges.write(std::uint64_t{mapping.start()});
    ranges.write(std::uint64_t{mapping.end()});
    ranges.write(std::uint64_t{mapping.offset()} / kPageSize);
    const bool says_deleted = mapping.name().ends_with(" (deleted)");
    names.append(bytes_of(mapping.name()));
    if (mapping.deleted() && !says_deleted) names.append(bytes_of(" (deleted)"));
    names.write(std::uint8_t{0});
  }
  ByteWriter note;
  note.write(count);
  note.write(kPageSize);
  note.append(ranges.bytes());
  note.append(names.bytes());
  return note.release();
}

void add_floating_point(ByteWriter& writer, const model::Thread& thread,
                        const model::Machine& machine) {
  const std::string& xstate = thread.xstate();
  if (xstate.size() < kFxsaveSize) return;
  std::string fxsave = xstate.substr(0, kFxsaveSize);
  std::fill(fxsave.begin() + kFxsaveReserved, fxsave.end(), '\0');
  add_note(writer, "CORE", NT_FPREGSET, bytes_of(fxsave));
  if (xstate.size() <= kFxsaveSize) return;
  // gdb before 14 knows no other layout; the kernel's own cores have the CPU's.
  const std::string extended = in_intel_layout(xstate, machine);
  add_note(writer, "LINUX", NT_X86_XSTATE, bytes_of(extended));
}

void add_siginfo(ByteWriter& writer, const model::Thread& thread) {
  if (!thread.stop_siginfo().empty()) {
    add_note(writer, "CORE", NT_SIGINFO, bytes_of(thread.stop_siginfo()));
  }
}

}  // namespace

std::vector<std::byte> core_notes(const ProcessImage& image, int current_tid) {
  const model::Process& process = image.process();
  std::vector<const model::Thread*> threads;
  for (const model::Thread& thread : process.threads()) {
    if (!thread.registers().empty()) threads.push_back(&thread);
  }
  std::ranges::stable_partition(
      threads, [&](const model::Thread* thread) { return thread->tid() == current_tid; });
  ByteWriter notes;
  for (const model::Thread* thread : threads) {
    const int signal = threads.front()->stop_signal();
    add_note(notes, "CORE", NT_PRSTATUS, bytes_of_struct(prstatus(process, *thread, signal)));
    if (thread == threads.front()) {
      add_note(notes, "CORE", NT_PRPSINFO, bytes_of_struct(prpsinfo(process, *thread)));
    }
    add_siginfo(notes, *thread);
    if (thread == threads.front()) {
      add_note(notes, "CORE", NT_AUXV, bytes_of(process.auxv()));
      add_note(notes, "CORE", NT_FILE, file_note(process));
    }
    add_floating_point(notes, *thread, image.machine());
  }
  return notes.release();
}

}  // namespace icecore::symbols
