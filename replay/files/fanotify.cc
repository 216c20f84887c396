// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/fanotify.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "replay/files/kernel_lines.h"
#include "replay/files/makers.h"
#include "replay/files/status_flags.h"
#include "replay/files/tree_path.h"

namespace icecore::replay {
namespace {

constexpr unsigned kClasses = FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT;
constexpr unsigned kIgnore = 0x400;  // FAN_MARK_IGNORE, Linux 6.0: its mask is a second kind

/// A line of fdinfo about a mark: "fanotify ino:2 sdev:800001 mflags:0 mask:8 ignored_mask:0 ..."
struct Mark {
  bool on_inode = false;
  unsigned flags = 0;
  std::uint64_t mask = 0;
  std::uint64_t ignored = 0;
};

std::vector<Mark> marks_of(const model::OpenFile& file) {
  std::vector<Mark> marks;
  for (const std::string& line : file.fdinfo()) {
    if (!line.starts_with("fanotify ") || line.starts_with("fanotify flags:")) continue;
    marks.push_back({line.find(" ino:") != std::string::npos,
                     static_cast<unsigned>(hex_word(line, "mflags:")), hex_word(line, " mask:"),
                     hex_word(line, "ignored_mask:")});
  }
  return marks;
}

std::uint64_t group_word(const model::OpenFile& file, std::string_view name) {
  for (const std::string& line : file.fdinfo()) {
    if (line.starts_with("fanotify flags:")) return hex_word(line, name);
  }
  return 0;
}

void add_mark(int group, int root, const model::Watch& watch, const Mark& mark) {
  const UniqueFd place = open_in_tree(root, watch.path(), O_PATH | O_NOFOLLOW);
  const std::string link = "/proc/self/fd/" + std::to_string(place.get());
  if (mark.mask != 0 && ::fanotify_mark(group, FAN_MARK_ADD | (mark.flags & ~kIgnore), mark.mask,
                                        AT_FDCWD, link.c_str()) != 0) {
    throw_errno("watch " + watch.path());
  }
  if (mark.ignored == 0) return;
  const unsigned kind = (mark.flags & kIgnore) != 0 ? kIgnore : unsigned{FAN_MARK_IGNORED_MASK};
  if (::fanotify_mark(group, FAN_MARK_ADD | mark.flags | kind, mark.ignored, AT_FDCWD,
                      link.c_str()) != 0) {
    throw_errno("ignore events of " + watch.path());
  }
}

}  // namespace

Objection check_fanotify(const Checking& /*checking*/, const model::OpenFile& file) {
  if (file.unread_bytes() > 0) return {"the events that wait in it cannot be put back", ""};
  if ((group_word(file, "flags:") & kClasses) != 0) {
    return {"other programs may wait for its permission, which cannot be told", ""};
  }
  const auto marks = marks_of(file);
  if (!std::ranges::all_of(marks, &Mark::on_inode)) {
    return {"it watches a mount or a whole file system, which may be another one here", ""};
  }
  const auto is_found = [](const model::Watch& watch) { return !watch.path().empty(); };
  if (marks.size() != static_cast<std::size_t>(file.watches_size()) ||
      !std::ranges::all_of(file.watches(), is_found)) {
    return {"it watches a file that had no name any more", ""};
  }
  return {};
}

void make_fanotify(Making& making, const model::OpenFile& file) {
  UniqueFd fd(::fanotify_init(static_cast<unsigned>(group_word(file, "flags:")) | FAN_CLOEXEC,
                              static_cast<unsigned>(group_word(file, "event-flags:"))));
  if (!fd.valid()) throw_errno("fanotify_init");
  set_status_flags(fd.get(), file);
  making.made.emplace(file.id(), std::move(fd));
}

void link_fanotify(Making& making, const model::OpenFile& file) {
  const auto marks = marks_of(file);
  const int group = making.made.at(file.id()).get();
  for (std::size_t i = 0; i < marks.size(); ++i) {
    add_mark(group, making.surroundings.root, file.watches(static_cast<int>(i)), marks[i]);
  }
}

}  // namespace icecore::replay
