// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/source_lines.h"

#include <llvm/DebugInfo/DWARF/DWARFCompileUnit.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>

#include "snapshot/symbols/demangle.h"

namespace icecore::symbols {
namespace {

std::string known(const std::string& text) {
  return text == llvm::DILineInfo::BadString ? std::string() : text;
}

bool has_debug_info(const llvm::object::ObjectFile& object) {
  for (const llvm::object::SectionRef& section : object.sections()) {
    llvm::Expected<llvm::StringRef> name = section.getName();
    if (!name) {
      llvm::consumeError(name.takeError());
    } else if (*name == ".debug_info" || *name == ".zdebug_info") {
      return true;
    }
  }
  return false;
}

}  // namespace

/// Owns the bytes, the file's sections over them and the DWARF over those; in this order.
class SourceLines::Dwarf {
 public:
  static std::unique_ptr<Dwarf> open(int fd) {
    if (fd < 0) return nullptr;
    auto bytes = llvm::MemoryBuffer::getOpenFile(fd, "module", ~std::uint64_t{0}, false);
    if (!bytes) return nullptr;
    auto object = llvm::object::ObjectFile::createELFObjectFile((*bytes)->getMemBufferRef());
    if (!object) {
      llvm::consumeError(object.takeError());
      return nullptr;
    }
    if (!has_debug_info(**object)) return nullptr;
    return std::make_unique<Dwarf>(std::move(*bytes), std::move(*object));
  }

  Dwarf(std::unique_ptr<llvm::MemoryBuffer> bytes, std::unique_ptr<llvm::object::ObjectFile> object)
      : bytes_(std::move(bytes)), object_(std::move(object)) {
    // Libraries never print: damage means fewer names, not messages.
    const auto ignore = [](llvm::Error error) { llvm::consumeError(std::move(error)); };
    context_ = llvm::DWARFContext::create(
        *object_, llvm::DWARFContext::ProcessDebugRelocations::Ignore, nullptr, "", ignore, ignore);
  }

  llvm::DIInliningInfo lookup(std::uint64_t address) {
    using Specifier = llvm::DILineInfoSpecifier;
    // In a damaged unit there is no DIE at all, and LLVM 19 would look into it.
    llvm::DWARFCompileUnit* unit = context_->getCompileUnitForCodeAddress(address);
    if (unit == nullptr || !unit->getUnitDIE(false).isValid()) return {};
    return context_->getInliningInfoForAddress(
        {address, llvm::object::SectionedAddress::UndefSection},
        Specifier(Specifier::FileLineInfoKind::AbsoluteFilePath,
                  Specifier::FunctionNameKind::LinkageName));
  }

 private:
  std::unique_ptr<llvm::MemoryBuffer> bytes_;
  std::unique_ptr<llvm::object::ObjectFile> object_;
  std::unique_ptr<llvm::DWARFContext> context_;
};

SourceLines::SourceLines(int fd, int debug_fd) : dwarf_(Dwarf::open(fd)) {
  if (dwarf_ == nullptr) dwarf_ = Dwarf::open(debug_fd);
}

SourceLines::~SourceLines() = default;

std::vector<SourceFrame> SourceLines::lookup(std::uint64_t address) const {
  std::vector<SourceFrame> frames;
  if (dwarf_ == nullptr) return frames;
  const llvm::DIInliningInfo found = dwarf_->lookup(address);
  for (std::uint32_t i = 0; i < found.getNumberOfFrames(); ++i) {
    const llvm::DILineInfo& line = found.getFrame(i);
    frames.push_back({.function = demangle(known(line.FunctionName)),
                      .file = known(line.FileName),
                      .line = line.Line,
                      .column = line.Column,
                      .inlined = i + 1 < found.getNumberOfFrames()});
  }
  return frames;
}

}  // namespace icecore::symbols
