// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/decoding/llvm_decoder.h"

#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrAnalysis.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Triple.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"

namespace icecore::symbols {
namespace {

constexpr const char* kTriple = "x86_64-unknown-linux-gnu";

const llvm::Target& x86_target() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86Disassembler();
  std::string reason;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, reason);
  if (target == nullptr) throw Error("this libLLVM has no x86-64 disassembler: " + reason);
  return *target;
}

// "\tvaddps\tzmm0, zmm1" as "vaddps zmm0, zmm1".
std::string normalize(const std::string& printed) {
  std::string text;
  for (const char c : printed) {
    const bool is_space = c == '\t' || c == ' ';
    if (!is_space) text += c;
    if (is_space && !text.empty() && text.back() != ' ') text += ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

bool is_lone_prefix(const std::string& text) {
  constexpr std::array<std::string_view, 15> kPrefixes = {
      "lock", "rep", "repne", "xacquire", "xrelease", "data16", "addr32", "rex64",
      "cs",   "ds",  "es",    "fs",       "gs",       "ss",     "data32"};
  // "repne addr32" is two of them.
  return std::ranges::find(kPrefixes, text.substr(text.rfind(' ') + 1)) != kPrefixes.end();
}

}  // namespace

// In the order in which each needs those before it.
struct LlvmDecoder::Machine {
  explicit Machine(AssemblySyntax syntax)
      : target(x86_target()),
        registers(target.createMCRegInfo(kTriple)),
        assembly(target.createMCAsmInfo(*registers, kTriple, options)),
        instructions(target.createMCInstrInfo()),
        subtarget(target.createMCSubtargetInfo(kTriple, "", "")),
        context(llvm::Triple(kTriple), assembly.get(), registers.get(), subtarget.get()),
        disassembler(target.createMCDisassembler(*subtarget, context)),
        analysis(target.createMCInstrAnalysis(instructions.get())),
        printer(target.createMCInstPrinter(llvm::Triple(kTriple),
                                           syntax == AssemblySyntax::Intel ? 1 : 0, *assembly,
                                           *instructions, *registers)) {
    if (disassembler == nullptr || printer == nullptr || analysis == nullptr) {
      throw Error("this libLLVM has no x86-64 disassembler");
    }
    printer->setPrintImmHex(true);
    printer->setPrintBranchImmAsAddress(true);
  }

  const llvm::Target& target;
  llvm::MCTargetOptions options;
  std::unique_ptr<llvm::MCRegisterInfo> registers;
  std::unique_ptr<llvm::MCAsmInfo> assembly;
  std::unique_ptr<llvm::MCInstrInfo> instructions;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
  llvm::MCContext context;
  std::unique_ptr<llvm::MCDisassembler> disassembler;
  std::unique_ptr<llvm::MCInstrAnalysis> analysis;
  std::unique_ptr<llvm::MCInstPrinter> printer;
};

LlvmDecoder::LlvmDecoder(AssemblySyntax syntax) : machine_(std::make_unique<Machine>(syntax)) {}
LlvmDecoder::~LlvmDecoder() = default;

// LLVM takes some prefixes for instructions of their own. Only for LOCK is the whole simply the
// sum; the others would change what follows, and no compiler writes them so.
std::optional<DecodedInstruction> LlvmDecoder::decode(std::uint64_t address,
                                                      std::span<const std::byte> bytes) const {
  auto decoded = decode_one(address, bytes);
  if (!decoded || !is_lone_prefix(decoded->text)) return decoded;
  if (decoded->text != "lock" || decoded->length != 1) return std::nullopt;
  auto locked = decode_one(address + 1, bytes.subspan(1));
  if (!locked || is_lone_prefix(locked->text)) return std::nullopt;
  locked->length += 1;
  locked->text = "lock " + locked->text;
  return locked;
}

std::optional<DecodedInstruction> LlvmDecoder::decode_one(std::uint64_t address,
                                                          std::span<const std::byte> bytes) const {
  const llvm::ArrayRef<std::uint8_t> code(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                          bytes.size());
  llvm::MCInst instruction;
  std::uint64_t length = 0;
  const auto status =
      machine_->disassembler->getInstruction(instruction, length, code, address, llvm::nulls());
  if (status != llvm::MCDisassembler::Success || length == 0) return std::nullopt;
  DecodedInstruction result;
  result.length = length;
  std::string text;
  llvm::raw_string_ostream stream(text);
  machine_->printer->printInst(&instruction, address, "", *machine_->subtarget, stream);
  result.text = normalize(text);
  std::uint64_t target = 0;
  if (machine_->analysis->evaluateBranch(instruction, address, length, target)) {
    result.target = target;
  } else if (const auto memory = machine_->analysis->evaluateMemoryOperandAddress(
                 instruction, machine_->subtarget.get(), address, length)) {
    result.target = *memory;
  }
  return result;
}

}  // namespace icecore::symbols
