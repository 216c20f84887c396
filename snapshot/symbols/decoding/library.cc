// SPDX-License-Identifier: Apache-2.0
// What libicecore-decoder.so exports.
#include <exception>
#include <string>

#include "snapshot/symbols/decoding/agreeing_decoder.h"

extern "C" __attribute__((visibility("default"))) icecore::symbols::Decoder* icecore_open_decoder(
    icecore::symbols::AssemblySyntax syntax, std::string& reason) noexcept {
  try {
    return new icecore::symbols::AgreeingDecoder(syntax);
  } catch (const std::exception& error) {
    reason = error.what();
    return nullptr;
  }
}
