// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/unwinder.h"

#include <elf.h>
#include <sys/user.h>
#include <ucontext.h>

#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "snapshot/symbols/dwfl_session.h"
#include "snapshot/symbols/image_memory.h"

namespace icecore::symbols {
namespace {

constexpr unsigned kDwarfRsp = 7;
constexpr unsigned kDwarfRip = 16;
constexpr unsigned kDwarfRegisters = 17;
// The code segment of 64-bit programs; 32-bit ones run in 0x23.
constexpr std::uint64_t kUserCode64 = 0x33;

using DwarfRegisters = std::array<Dwarf_Word, kDwarfRegisters>;

std::optional<user_regs_struct> parse_registers(const model::Thread& thread) {
  user_regs_struct registers;
  if (thread.registers().size() != sizeof registers) return std::nullopt;
  std::memcpy(&registers, thread.registers().data(), sizeof registers);
  return registers;
}

// In the order that the System V ABI numbers them for DWARF.
DwarfRegisters dwarf_registers(const user_regs_struct& from) {
  return {from.rax, from.rdx, from.rcx, from.rbx, from.rsi, from.rdi, from.rbp, from.rsp, from.r8,
          from.r9,  from.r10, from.r11, from.r12, from.r13, from.r14, from.r15, from.rip};
}

bool is_executable(const model::Process& process, std::uint64_t address) {
  const model::Mapping* mapping = find_mapping(process, address);
  return mapping != nullptr && mapping->executable();
}

}  // namespace

/// elfutils' state for one process: the callbacks that it reads registers and memory through.
class Unwinder::Session {
 public:
  explicit Session(const ProcessImage& image)
      : image_(image),
        memory_(image),
        modules_(find_loaded_modules(image)),
        dwfl_(image, modules_) {
    static constexpr Dwfl_Thread_Callbacks kCallbacks = {
        .next_thread = [](Dwfl*, void*, void**) -> pid_t { return 0; },
        .get_thread =
            [](Dwfl*, pid_t, void* self, void** thread) {
              *thread = self;
              return true;
            },
        .memory_read =
            [](Dwfl*, Dwarf_Addr address, Dwarf_Word* result, void* self) {
              return static_cast<Session*>(self)->read_memory(address, result);
            },
        .set_initial_registers =
            [](Dwfl_Thread* thread, void* self) {
              return ::dwfl_thread_state_registers(thread, 0, kDwarfRegisters,
                                                   static_cast<Session*>(self)->start_.data());
            },
        .detach = nullptr,
        .thread_detach = nullptr,
    };
    attached_ = ::dwfl_attach_state(dwfl_.get(), x86_64_.get(), kPid, &kCallbacks, this);
  }

  std::vector<Frame> walk(const user_regs_struct& registers, std::size_t limit) {
    frames_.clear();
    seen_.clear();
    limit_ = limit;
    start_at(dwarf_registers(registers), Frame::FoundBy::Registers);
    if (!attached_ || registers.cs != kUserCode64) add_start();
    while (std::exchange(walk_again_, false) && frames_.size() < limit_) {
      if (!is_executable(image_.process(), start_[kDwarfRip]) && !step_over_lost_call()) break;
      if (frames_.size() < limit_) ::dwfl_getthread_frames(dwfl_.get(), kPid, visit, this);
    }
    if (frames_.empty()) add_start();
    return std::move(frames_);
  }

 private:
  // elfutils wants a positive number; what it stands for is known to the callbacks only.
  static constexpr pid_t kPid = 1;

  bool read_memory(Dwarf_Addr address, Dwarf_Word* result) {
    const auto word = memory_.read_word(address);
    if (word) *result = *word;
    return word.has_value();
  }

  // elfutils' next walk begins with these registers, as if they were a stopped thread's.
  void start_at(const DwarfRegisters& registers, Frame::FoundBy found_by) {
    start_ = registers;
    next_found_by_ = found_by;
    walk_again_ = attached_;
  }

  bool add_start() {
    walk_again_ = false;
    return push({.pc = start_[kDwarfRip],
                 .sp = start_[kDwarfRsp],
                 .is_activation = true,
                 .found_by = next_found_by_});
  }

  // A damaged stack may lead back to a frame that was here before.
  bool push(const Frame& frame) {
    if (!seen_.emplace(frame.pc, frame.sp).second) return false;
    frames_.push_back(frame);
    return frames_.size() < limit_;
  }

  static int visit(Dwfl_Frame* frame, void* self) {
    return static_cast<Session*>(self)->add(frame);
  }

  int add(Dwfl_Frame* state) {
    Frame frame;
    if (!::dwfl_frame_pc(state, &frame.pc, &frame.is_activation)) return DWARF_CB_ABORT;
    ::dwfl_frame_reg(state, kDwarfRsp, &frame.sp);
    frame.found_by = next_found_by_;
    if (next_found_by_ == Frame::FoundBy::StackTop) {
      // To elfutils this is an innermost frame, but step_over_lost_call() made it from a return
      // address.
      frame.is_activation = false;
      frame.pc += 1;
    }
    // The outermost frame returns to nothing, and garbage leads to where no code is.
    if (!is_executable(image_.process(), frame.lookup_pc())) return DWARF_CB_ABORT;
    frame.is_signal_return = is_signal_return(frame.pc);
    if (!push(frame)) return DWARF_CB_ABORT;
    if (frame.is_signal_return) return step_to_interrupted(frame.sp);
    next_found_by_ = dwfl_.has_call_frame_info(frame.lookup_pc()) ? Frame::FoundBy::CallFrameInfo
                                                                  : Frame::FoundBy::FramePointer;
    return DWARF_CB_OK;
  }

  // As gdb does, by the code: mov $15 (rt_sigreturn), %rax; syscall.
  bool is_signal_return(std::uint64_t pc) {
    constexpr std::array<std::uint8_t, 9> kCode = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    return read_value<std::array<std::uint8_t, 9>>(image_, pc) == kCode;
  }

  // The kernel has saved what the signal interrupted in a ucontext; it lies where the handler's
  // return address was popped. Reading it needs no unwind information, and a pc of 0 in it is no
  // end.
  int step_to_interrupted(std::uint64_t context_address) {
    const auto context = read_value<ucontext_t>(image_, context_address);
    if (!context) return DWARF_CB_ABORT;
    const auto& saved = context->uc_mcontext.gregs;
    constexpr std::array<int, kDwarfRegisters> kOrder = {
        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
        REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    DwarfRegisters registers;
    for (std::size_t i = 0; i < kOrder.size(); ++i) {
      registers[i] = static_cast<Dwarf_Word>(saved[kOrder[i]]);
    }
    start_at(registers, Frame::FoundBy::SignalContext);
    return DWARF_CB_ABORT;
  }

  // A call through a null or wild pointer: nothing describes a frame there, but the call has just
  // pushed its return address and done nothing else. The walk goes on in the caller.
  bool step_over_lost_call() {
    if (!add_start()) return false;
    const auto caller = memory_.read_word(start_[kDwarfRsp]);
    if (!caller || !is_executable(image_.process(), *caller - 1)) return false;
    DwarfRegisters registers = start_;
    // Inside the call instruction, where the caller's frame is described as at the call.
    registers[kDwarfRip] = *caller - 1;
    registers[kDwarfRsp] += sizeof(std::uint64_t);
    start_at(registers, Frame::FoundBy::StackTop);
    walk_again_ = false;
    return true;
  }

  const ProcessImage& image_;
  PageCache memory_;
  std::vector<LoadedModule> modules_;
  DwflSession dwfl_;
  MachineElf x86_64_;
  bool attached_ = false;
  // Of the walk that is going on.
  DwarfRegisters start_{};
  std::vector<Frame> frames_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
  Frame::FoundBy next_found_by_ = Frame::FoundBy::Registers;
  std::size_t limit_ = 0;
  bool walk_again_ = false;
};

Unwinder::Unwinder(const ProcessImage& image) : session_(std::make_unique<Session>(image)) {}
Unwinder::~Unwinder() = default;

std::vector<Frame> Unwinder::frames(const model::Thread& thread, std::size_t limit) const {
  const auto registers = parse_registers(thread);
  if (!registers || limit == 0) return {};
  return session_->walk(*registers, limit);
}

}  // namespace icecore::symbols
