// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "snapshot/model/file.pb.h"

namespace icecore::replay {

// Values of OpenFile.fdinfo, "name: value", as the kernel wrote them; 0 when the line is not there.
std::uint64_t decimal_line(const model::OpenFile& file, std::string_view name);
std::uint64_t hex_line(const model::OpenFile& file, std::string_view name);
std::uint64_t octal_line(const model::OpenFile& file, std::string_view name);
/// "it_value: (3599, 123)": seconds and nanoseconds, as nanoseconds.
std::int64_t time_pair_line(const model::OpenFile& file, std::string_view name);
/// "Pid:\t-1".
std::int64_t signed_line(const model::OpenFile& file, std::string_view name);

/// The hexadecimal number behind `name` (with its colon) anywhere in a line; 0 when it is not
/// there.
std::uint64_t hex_word(std::string_view line, std::string_view name);

}  // namespace icecore::replay
