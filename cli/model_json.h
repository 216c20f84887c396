// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include "cli/json_text.h"

namespace icecore::cli {

/// A record of the model under the names of its .proto file, every field of it: numbers as numbers
/// (protobuf's own JSON has 64-bit ones as strings, which jq does not add), enumerators by name,
/// command lines and environments as arrays of strings, other bytes in hexadecimal.
[[nodiscard]] Json model_json(const google::protobuf::Message& record);

}  // namespace icecore::cli
