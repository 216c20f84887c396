// SPDX-License-Identifier: Apache-2.0
#include "snapshot/symbols/instruction_decoder.h"

#include <dlfcn.h>

#include <string>

#include "base/error.h"

namespace icecore::symbols {
namespace {

constexpr const char* kHint = "install icecore again: the library belongs beside the program";

// Found by the program's own RUNPATH: in the build tree, or below the prefix it was installed to.
// It stays loaded: what it made points into it.
OpenDecoder* open_decoder_function() {
  void* library = ::dlopen(kDecoderLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw Error(std::string("load the disassembler: ") + ::dlerror()).set_hint(kHint);
  }
  void* function = ::dlsym(library, kOpenDecoderName);
  if (function == nullptr) {
    throw Error(std::string("load the disassembler: ") + ::dlerror()).set_hint(kHint);
  }
  return reinterpret_cast<OpenDecoder*>(function);
}

std::unique_ptr<Decoder> open_decoder(AssemblySyntax syntax) {
  std::string reason;
  std::unique_ptr<Decoder> decoder(open_decoder_function()(syntax, reason));
  if (decoder == nullptr) throw Error("open the disassembler: " + reason);
  return decoder;
}

}  // namespace

InstructionDecoder::InstructionDecoder(AssemblySyntax syntax) : decoder_(open_decoder(syntax)) {}

}  // namespace icecore::symbols
