// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/user.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/error.h"
#include "snapshot/symbols/core_file.h"
#include "tests/snapshot/live_image.h"

namespace icecore::symbols {
namespace {

using test::LiveImage;
using test::LiveVictim;
using testing::HasSubstr;

std::string output_of(const std::string& command) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      ::popen(("(" + command + ") 2>&1 </dev/null").c_str(), "re"), ::pclose);
  char buffer[4096];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) {
    text.append(buffer, count);
  }
  return text;
}

// The frames of a debugger's output by thread; what differs between a core and a process is
// dropped.
std::vector<std::string> frames_of(const std::string& text, const std::string& mark) {
  std::vector<std::string> frames;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(mark);
    if (at != std::string::npos && at <= 4) frames.push_back(line.substr(at));
  }
  return frames;
}

class CoreFile : public testing::Test {
 protected:
  CoreFile() {
    std::string pattern = testing::TempDir() + "icecore-core-XXXXXX";
    directory = ::mkdtemp(pattern.data());
    core = directory + "/core";
  }
  ~CoreFile() override { std::filesystem::remove_all(directory); }

  std::string gdb(const std::string& arguments) const {
    return output_of("gdb -nx -batch -iex 'set debuginfod enabled off' " + arguments);
  }

  static std::string warnings_of(const std::string& text) {
    std::string warnings;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("warning") != std::string::npos) warnings += line + "\n";
    }
    return warnings;
  }

  std::string program = LiveVictim::path("symbols_frames");
  std::string directory;
  std::string core;
};

TEST_F(CoreFile, ShowsGdbTheBacktracesOfTheLivingProcess) {
  if (!std::filesystem::exists("/usr/bin/gdb")) GTEST_SKIP() << "needs gdb";
  for (const char* place : {"walk", "signal", "null", "jit"}) {
    LiveVictim victim("symbols_frames");
    victim.command(place);
    write_core_file(LiveImage(victim.pid()), core);
    const std::string show = " -ex 'thread apply all bt'";
    const std::string live = gdb("-p " + std::to_string(victim.pid()) + show);
    const std::string dead = gdb(program + " " + core + show);
    EXPECT_GE(frames_of(live, "#").size(), 6U) << live;
    // gdb leads its output with the frame that it selects; the backtraces follow.
    const auto from_threads = [](const std::string& text) {
      return text.substr(text.find("\nThread "));
    };
    EXPECT_EQ(frames_of(from_threads(dead), "#"), frames_of(from_threads(live), "#")) << dead;
    EXPECT_EQ(warnings_of(dead), "");
  }
}

TEST_F(CoreFile, ShowsLldbTheBacktracesOfTheLivingProcess) {
  if (!std::filesystem::exists("/usr/bin/lldb-19")) GTEST_SKIP() << "needs lldb-19";
  LiveVictim victim("symbols_frames");
  victim.command("walk");
  write_core_file(LiveImage(victim.pid()), core);
  const std::string lldb = "lldb-19 --no-lldbinit -b ";
  const std::string live =
      output_of(lldb + "-p " + std::to_string(victim.pid()) + " -o 'bt all' -o detach");
  const std::string dead = output_of(lldb + program + " -c " + core + " -o 'bt all'");
  const auto frames = frames_of(dead.substr(dead.find("bt all")), "frame #");
  EXPECT_GE(frames.size(), 12U) << dead;
  EXPECT_EQ(frames, frames_of(live.substr(live.find("bt all")), "frame #")) << live;
}

TEST_F(CoreFile, HoldsTheMemoryRegistersAndIdentityOfTheProcess) {
  if (!std::filesystem::exists("/usr/bin/gdb")) GTEST_SKIP() << "needs gdb";
  LiveVictim victim("symbols_frames");
  victim.command("walk");
  LiveImage image(victim.pid());
  model::Thread& thread = *image.mutable_process().mutable_threads(1);
  thread.set_stop_signal(11);
  siginfo_t signal{};
  signal.si_signo = 11;
  signal.si_addr = reinterpret_cast<void*>(0x1234);
  thread.set_stop_siginfo(&signal, sizeof signal);
  const CoreSummary summary = write_core_file(image, core);
  EXPECT_EQ(summary.current_tid, thread.tid());
  user_regs_struct registers;
  std::memcpy(&registers, image.process().threads(0).registers().data(), sizeof registers);
  const std::string text =
      gdb(program + " " + core +
          " -ex 'p $_siginfo._sifields._sigfault.si_addr' -ex 'p deep::waiting'"
          " -ex 'info auxv' -ex 'info proc mappings' -ex 'thread 2'"
          " -ex 'p/x $rsp' -ex 'p/x $mxcsr' -ex 'x/s (char*)$rsp' -ex 'info threads'");
  EXPECT_THAT(text, HasSubstr("SIGSEGV"));
  EXPECT_THAT(text, HasSubstr("(void *) 0x1234"));
  EXPECT_THAT(text, HasSubstr("= true"));
  EXPECT_THAT(text, HasSubstr("AT_SYSINFO_EHDR"));
  EXPECT_THAT(text, HasSubstr("libc.so.6"));
  char rsp[32];
  std::snprintf(rsp, sizeof rsp, "= 0x%llx", registers.rsp);
  EXPECT_THAT(text, HasSubstr(rsp));
  EXPECT_THAT(text, HasSubstr("= 0x1f80"));
  EXPECT_THAT(text, HasSubstr("LWP " + std::to_string(victim.pid())));
}

TEST_F(CoreFile, HasTheNotesOfTheKernelsCores) {
  LiveVictim victim("symbols_frames");
  victim.command("walk");
  write_core_file(LiveImage(victim.pid()), core);
  const std::string notes = output_of("readelf -nlW " + core);
  for (const char* note :
       {"NT_PRSTATUS", "NT_PRPSINFO", "NT_AUXV", "NT_FILE", "NT_FPREGSET", "NT_X86_XSTATE"}) {
    EXPECT_THAT(notes, HasSubstr(note));
  }
  EXPECT_THAT(notes, testing::Not(HasSubstr("arning")));
}

TEST_F(CoreFile, NeedsNoFileBesideIt) {
  if (!std::filesystem::exists("/usr/bin/gdb")) GTEST_SKIP() << "needs gdb";
  const std::string copy = directory + "/program";
  std::filesystem::copy_file(program, copy);
  LiveVictim victim(copy);
  victim.command("walk");
  const LiveImage image(victim.pid());
  write_core_file(image, core);
  std::filesystem::remove(copy);
  const std::uint64_t code = image.process().mappings(0).start();
  char command[64];
  std::snprintf(command, sizeof command, " -ex 'x/s 0x%lx'", code + 1);
  EXPECT_THAT(gdb("-c " + core + command), HasSubstr("\"ELF"));
}

TEST_F(CoreFile, KeepsZeroPagesAsHolesAndHasNoOtherReader) {
  LiveVictim victim("symbols_frames");
  const CoreSummary summary = write_core_file(LiveImage(victim.pid()), core);
  struct stat status {};
  ASSERT_EQ(::stat(core.c_str(), &status), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), summary.file_size);
  // The thread's stack alone is 8 MiB of almost only zeros.
  EXPECT_GT(summary.file_size, summary.written_bytes + (std::uint64_t{7} << 20U));
  EXPECT_LT(static_cast<std::uint64_t>(status.st_blocks) * 512, summary.file_size / 2);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
}

TEST_F(CoreFile, LeavesNothingBehindWhenItCannotBeWritten) {
  LiveVictim victim("symbols_frames");
  const LiveImage image(victim.pid());
  EXPECT_THROW(write_core_file(image, directory + "/none/core"), Error);
  std::filesystem::create_directory(core);
  EXPECT_THROW(write_core_file(image, core), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
}

TEST_F(CoreFile, IsRefusedForAProcessWithoutRegisters) {
  LiveVictim victim("symbols_frames");
  LiveImage image(victim.pid());
  EXPECT_THROW(write_core_file(image, core, 1), Error);
  for (auto& thread : *image.mutable_process().mutable_threads()) thread.clear_registers();
  EXPECT_THROW(write_core_file(image, core), Refused);
  EXPECT_FALSE(std::filesystem::exists(core));
}

// Every second page of a mapping cannot be read; more segments than 16 bits count.
class HoledImage : public ProcessImage {
 public:
  explicit HoledImage(std::uint64_t pages) {
    process_.set_pid(7);
    model::Thread& thread = *process_.add_threads();
    thread.set_tid(7);
    thread.set_registers(std::string(sizeof(user_regs_struct), '\1'));
    model::Mapping& mapping = *process_.add_mappings();
    mapping.set_start(0x10000);
    mapping.set_end(0x10000 + pages * 4096);
    mapping.set_readable(true);
  }
  const model::Process& process() const override { return process_; }
  const model::Machine& machine() const override { return model::Machine::default_instance(); }
  std::size_t read_memory(std::uint64_t address, std::span<std::byte> out) const override {
    if (address / 4096 % 2 != 0) return 0;
    const std::size_t count = std::min<std::size_t>(out.size(), 4096 - address % 4096);
    std::ranges::fill(out.first(count), std::byte{1});
    return count;
  }
  UniqueFd open_module(const model::Mapping&) const override { return {}; }
  UniqueFd open_debug(const model::Mapping&) const override { return {}; }

 protected:
  model::Process& mutable_process() { return process_; }

 private:
  model::Process process_;
};

TEST_F(CoreFile, SplitsMappingsWhereTheyCannotBeRead) {
  const CoreSummary summary = write_core_file(HoledImage(4), core);
  EXPECT_EQ(summary.segments, 5U);
  EXPECT_THAT(summary.left_out, testing::ElementsAre("11000-12000", "13000-14000"));
}

TEST_F(CoreFile, MayHaveMoreSegmentsThanTheElfHeaderCounts) {
  const CoreSummary summary = write_core_file(HoledImage(70000), core);
  EXPECT_EQ(summary.segments, 70001U);
  EXPECT_THAT(output_of("readelf -hW " + core), HasSubstr("(70001)"));
}

// Reserves a terabyte; one page in it is used.
class SparseImage : public HoledImage {
 public:
  static constexpr std::uint64_t kUsed = 0x40000000000;
  SparseImage() : HoledImage(1) {
    model::Mapping& reserved = *mutable_process().add_mappings();
    reserved.set_start(0x10000000000);
    reserved.set_end(0x20000000000);
    model::Mapping& sparse = *mutable_process().add_mappings();
    sparse.set_start(kUsed - (std::uint64_t{1} << 36U));
    sparse.set_end(kUsed + (std::uint64_t{1} << 36U));
    sparse.set_readable(true);
  }
  std::size_t read_memory(std::uint64_t address, std::span<std::byte> out) const override {
    std::ranges::fill(out, std::byte{0});
    if (address == kUsed) out[5] = std::byte{1};
    return out.size();
  }
  std::uint64_t next_data(std::uint64_t address, std::uint64_t end) const override {
    if (address <= kUsed && kUsed < end) return kUsed;
    return end;
  }
};

TEST_F(CoreFile, SkipsWhatTheImageSaysIsEmpty) {
  const CoreSummary summary = write_core_file(SparseImage(), core);
  EXPECT_EQ(summary.segments, 4U);
  EXPECT_TRUE(summary.left_out.empty());
  EXPECT_GT(summary.file_size, std::uint64_t{1} << 37U);
  EXPECT_LT(summary.written_bytes, 3 * 4096U);
  EXPECT_THAT(
      output_of("readelf -lW " + core),
      testing::ContainsRegex("LOAD +0x[0-9a-f]+ 0x0*10000000000 0x0+ 0x000000 0x10000000000"));
}

}  // namespace
}  // namespace icecore::symbols
