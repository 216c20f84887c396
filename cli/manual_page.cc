// SPDX-License-Identifier: Apache-2.0
#include "cli/manual_page.h"

#include <algorithm>
#include <span>

#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/exit_statuses.h"
#include "cli/text_lines.h"

namespace icecore::cli {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  // A line that begins with one of these would be taken for a request.
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

std::string heading(const std::string& title, const std::string& summary) {
  std::string capitals;
  for (const char c : title) {
    capitals += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return ".TH " + escaped(capitals) + " 1 \"\" icecore \"User commands\"\n.SH NAME\n" +
         escaped(title) + " \\- " + escaped(summary) + "\n";
}

std::string paragraphs(std::string_view text) {
  std::string out;
  bool literal = false;
  const auto leave_literal = [&] {
    if (literal) out += ".EE\n";
    literal = false;
  };
  for (const std::string& line : split_lines(text)) {
    if (line.starts_with("  ")) {
      if (!literal) out += ".PP\n.EX\n";
      literal = true;
      out += escaped(line) + "\n";
      continue;
    }
    leave_literal();
    out += line.empty() ? ".PP\n" : escaped(line) + "\n";
  }
  leave_literal();
  return out;
}

std::string option_entries(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    out += ".TP\n";
    if (option.letter != 0) out += "\\fB\\-" + std::string(1, option.letter) + "\\fR, ";
    out += "\\fB\\-\\-" + escaped(option.name) + "\\fR";
    if (!option.value.empty()) out += " \\fI" + escaped(option.value) + "\\fR";
    std::string help(option.help);
    if (!option.fallback.empty()) help += " (default " + std::string(option.fallback) + ")";
    out += "\n" + escaped(help) + "\n";
  }
  return out;
}

std::string exit_statuses() {
  std::string out = ".SH EXIT STATUS\n";
  for (const auto& [status, meaning] : kExitStatuses) {
    out += ".TP\n" + std::to_string(static_cast<int>(status)) + "\n" + escaped(meaning) + "\n";
  }
  return out;
}

constexpr std::string_view kSnapshotNames =
    "  NAME@3         number 3 of the recording NAME\n"
    "  NAME@last      its last one; NAME alone means the same\n"
    "  NAME@-2        two before the last\n"
    "  NAME@14:03:20  the last one taken at or before that time of day\n"
    "  NAME@-10s      the last one taken at least ten seconds before the last\n"
    "  NAME@TAG       the one that `icecore tag` or --tag gave that name\n"
    "  A..B           a range, both ends included\n";

}  // namespace

std::string page_name(const Command& command) {
  std::string name = "icecore-" + std::string(command.name);
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string manual_page(const Command& command) {
  std::string page = heading(page_name(command), std::string(command.summary));
  page += ".SH SYNOPSIS\n";
  for (const std::string& line : split_lines(command.usage)) {
    page += ".B icecore\n" + escaped(line) + "\n.br\n";
  }
  page += ".SH DESCRIPTION\n";
  page += paragraphs(command.description.empty() ? std::string(command.summary) + "."
                                                 : std::string(command.description));
  page += ".SH OPTIONS\n" + option_entries(command.options) + option_entries(kCommonOptions);
  page += exit_statuses();
  if (!command.examples.empty()) {
    page += ".SH EXAMPLES\n.EX\n";
    for (const std::string& line : split_lines(command.examples)) page += escaped(line) + "\n";
    page += ".EE\n";
  }
  return page + ".SH SEE ALSO\n.BR icecore (1)\n";
}

std::string overview_manual() {
  std::string page =
      heading("icecore", "snapshots and time travel for Linux process trees, open to gdb");
  page += ".SH SYNOPSIS\n.B icecore\n.I VERB\n[OPTIONS] [ARGUMENTS]\n.SH VERBS\n";
  for (const Command& command : commands()) {
    if (command.group == Group::Hidden) continue;
    page += ".TP\n.BR " + escaped(page_name(command)) + " (1)\n" + escaped(command.summary) + "\n";
  }
  page +=
      ".SH SNAPSHOT NAMES\nOne grammar everywhere; without NAME, the newest recording is meant.\n";
  page += paragraphs(kSnapshotNames);
  page += ".SH OPTIONS OF EVERY VERB\n" + option_entries(kCommonOptions);
  page +=
      ".SH ENVIRONMENT\n"
      ".TP\nICECORE_STORE\nWhere recordings are kept, when \\-\\-store does not say.\n"
      ".TP\nICECORE_LOG\nTopics to log to stderr: tracing, freezer, capture, store, gdbstub, "
      "recorder, or all.\n"
      ".TP\nNO_COLOR\nNo colours, when \\-\\-color does not say.\n";
  page += exit_statuses();
  return page + ".SH SEE ALSO\n.BR gdb (1),\n.BR lldb (1)\n";
}

}  // namespace icecore::cli
