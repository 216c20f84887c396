// SPDX-License-Identifier: Apache-2.0
#include "replay/image/page_order.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/unique_fd.h"
#include "snapshot/capture/proc_directory.h"
#include "snapshot/proc/text.h"

namespace icecore::replay {
namespace {

// 64 MiB. A service that has touched more of its memory by the time that it has all of it has no
// order worth keeping.
constexpr std::uint64_t kMostPages = 16384;

std::uint64_t pages_in(const PageOrder& order) {
  std::uint64_t count = 0;
  for (const auto& stretch : order) count += stretch.count;
  return count;
}

std::string hexadecimal(std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number, 16);
  return {std::begin(digits), end.ptr};
}

bool take_number(std::string_view& line, std::uint64_t& number) {
  const std::string_view word = snapshot::proc::take_word(line);
  const auto result = std::from_chars(word.data(), word.data() + word.size(), number, 16);
  return result.ec == std::errc() && result.ptr == word.data() + word.size();
}

}  // namespace

std::string page_order_text(const PageOrder& order) {
  std::string text;
  for (const auto& stretch : order) {
    text += hexadecimal(stretch.space) + " " + hexadecimal(stretch.first) + " " +
            hexadecimal(stretch.count) + "\n";
  }
  return text;
}

PageOrder parse_page_order(std::string_view text) {
  PageOrder order;
  while (!text.empty()) {
    std::string_view line = snapshot::proc::take_line(text);
    PageStretch stretch;
    const bool whole = take_number(line, stretch.space) && take_number(line, stretch.first) &&
                       take_number(line, stretch.count);
    if (whole && stretch.count <= kMostPages) order.push_back(stretch);
  }
  return order;
}

PageOrder joined(PageOrder order) {
  std::ranges::sort(order, {}, [](const PageStretch& stretch) {
    return std::pair(stretch.space, stretch.first);
  });
  PageOrder result;
  for (const auto& stretch : order) {
    const bool near = !result.empty() && result.back().space == stretch.space &&
                      stretch.first <= result.back().first + result.back().count;
    if (!near) {
      result.push_back(stretch);
      continue;
    }
    auto& last = result.back();
    last.count = std::max(last.count, stretch.first + stretch.count - last.first);
  }
  return result;
}

PageOrder read_page_order(const std::filesystem::path& path) {
  return parse_page_order(snapshot::ProcDirectory::read_file(path));
}

void add_to_page_order(const std::filesystem::path& file, const PageOrder& missed) noexcept try {
  PageOrder order = read_page_order(file);
  std::uint64_t room = kMostPages - std::min(kMostPages, pages_in(order));
  for (const auto& stretch : missed) {
    if (stretch.count > room) break;
    room -= stretch.count;
    order.push_back(stretch);
  }
  const std::string passing = file.string() + "." + std::to_string(::getpid());
  {
    const UniqueFd fd(::open(passing.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const std::string text = page_order_text(order);
    const bool wrote = fd.valid() && ::write(fd.get(), text.data(), text.size()) ==
                                         static_cast<ssize_t>(text.size());
    if (wrote && ::rename(passing.c_str(), file.c_str()) == 0) return;
  }
  ::unlink(passing.c_str());
} catch (...) {
  return;
}

}  // namespace icecore::replay
