// SPDX-License-Identifier: Apache-2.0
#include "cli/help_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/text_lines.h"

namespace icecore::cli {
namespace {

constexpr std::size_t kWidth = 90;
constexpr std::size_t kVerbColumn = 16;
constexpr std::size_t kOptionColumn = 26;

constexpr std::array<std::pair<Group, std::string_view>, 6> kGroups = {{
    {Group::Take, "take snapshots"},
    {Group::Look, "look at them"},
    {Group::Debug, "debug them"},
    {Group::Image, "start services from images"},
    {Group::Keep, "keep the store"},
    {Group::About, "about icecore"},
}};

/// "  HEADING   text", the text wrapped into its column.
std::string row(const std::string& heading, std::string_view text, std::size_t column) {
  std::string line = "  " + heading;
  if (line.size() + 1 >= column) {
    line += "\n" + std::string(column, ' ');
  } else {
    line.resize(column, ' ');
  }
  return line + wrap(text, column, kWidth) + "\n";
}

std::string option_rows(std::span<const Option> options) {
  std::string rows;
  for (const Option& option : options) {
    std::string help(option.help);
    if (!option.fallback.empty()) help += " (default " + std::string(option.fallback) + ")";
    rows += row(option_heading(option), help, kOptionColumn);
  }
  return rows;
}

std::string paragraphs(std::string_view description) {
  std::string text;
  std::string open;
  const auto close = [&] {
    if (!open.empty()) text += wrap(open, 0, kWidth) + "\n";
    open.clear();
  };
  for (const std::string& line : split_lines(description)) {
    if (line.empty() || line.starts_with("  ")) {
      close();
      text += line + "\n";
    } else {
      open += line + " ";
    }
  }
  close();
  return text;
}

}  // namespace

std::string option_heading(const Option& option) {
  std::string heading = option.letter == 0 ? "    " : std::string("-") + option.letter + ", ";
  heading += "--" + std::string(option.name);
  if (!option.value.empty()) heading += " " + std::string(option.value);
  return heading;
}

std::string usage_text(const Command& command) {
  std::string text;
  for (const std::string& line : split_lines(command.usage)) {
    text += (text.empty() ? "usage: icecore " : "       icecore ") + line + "\n";
  }
  return text;
}

std::string overview_text() {
  std::string text =
      "icecore: snapshots and time travel for Linux process trees, open to gdb\n\n"
      "usage: icecore VERB [OPTIONS] [ARGUMENTS]\n";
  for (const auto& [group, title] : kGroups) {
    std::string rows;
    for (const Command& command : commands()) {
      if (command.group == group)
        rows += row(std::string(command.name), command.summary, kVerbColumn);
    }
    if (!rows.empty()) text += "\n" + std::string(title) + ":\n" + rows;
  }
  return text +
         "\nA snapshot is named NAME@3, NAME@last, NAME@-2 (two before the last), NAME@14:03:20,\n"
         "NAME@-10s or NAME@TAG; without NAME it is one of the newest recording.\n"
         "`icecore help VERB` tells more; so does `man icecore-VERB`.\n";
}

std::string help_text(const Command& command) {
  std::string text = usage_text(command) + "\n";
  std::string summary(command.summary);
  summary.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(summary.front())));
  text += wrap(summary, 0, kWidth) + ".\n";
  if (!command.description.empty()) text += "\n" + paragraphs(command.description);
  if (!command.options.empty()) text += "\noptions:\n" + option_rows(command.options);
  text += "\noptions of every verb:\n" + option_rows(kCommonOptions);
  if (!command.examples.empty()) {
    text += "\nexamples:\n";
    for (const std::string& line : split_lines(command.examples)) text += "  " + line + "\n";
  }
  return text;
}

}  // namespace icecore::cli
