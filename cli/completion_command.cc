// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <iostream>

#include "cli/commands.h"
#include "cli/invocation.h"

namespace icecore::cli {
namespace {

constexpr std::array kArguments = {Argument{"SHELL"}};

// bash takes "@" and ":" for the ends of words: the words are split anew here, and what bash
// believes to be finished is cut from the candidates.
constexpr std::string_view kBash =
    R"(# Completion of icecore for bash; made by `icecore completion bash`.
_icecore() {
    local line="${COMP_LINE:0:COMP_POINT}" word description done_part
    local -a words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local begun="${words[-1]}"
    done_part="${begun%"${begun##*[@:=]}"}"
    COMPREPLY=()
    while IFS=$'\t' read -r word description; do
        case $word in
            :files) compopt -o default; return ;;
            :directories) compopt -o dirnames; return ;;
            :programs) mapfile -t COMPREPLY < <(compgen -c -- "$begun"); compopt -o default; return ;;
            *@) compopt -o nospace; COMPREPLY+=("${word#"$done_part"}") ;;
            *) COMPREPLY+=("${word#"$done_part"}") ;;
        esac
    done < <(icecore complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _icecore icecore
)";

constexpr std::string_view kZsh = R"(#compdef icecore
# Completion of icecore for zsh; made by `icecore completion zsh`.
_icecore() {
    local line word description
    local -a candidates open_candidates
    for line in "${(@f)$(icecore complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        word="${line%%$'\t'*}"
        description="${line#*$'\t'}"
        case $word in
            '') ;;
            :files) _files; return ;;
            :directories) _files -/; return ;;
            :programs) _command_names -e; return ;;
            *@) open_candidates+=("${word//:/\\:}:$description") ;;
            *) candidates+=("${word//:/\\:}:$description") ;;
        esac
    done
    (( $#candidates )) && _describe -V icecore candidates
    (( $#open_candidates )) && _describe -V icecore open_candidates -S ''
}
if [[ $funcstack[1] == _icecore ]]; then
    _icecore "$@"
else
    compdef _icecore icecore
fi
)";

constexpr std::string_view kFish =
    R"(# Completion of icecore for fish; made by `icecore completion fish`.
function __icecore_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (icecore complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :directories
                __fish_complete_directories (commandline -ct)
            case :programs
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end
complete -c icecore -f -k -a '(__icecore_complete)'
)";

int run(const Invocation& invocation) {
  const std::string shell = invocation.argument(0);
  if (shell == "bash") {
    std::cout << kBash;
  } else if (shell == "zsh") {
    std::cout << kZsh;
  } else if (shell == "fish") {
    std::cout << kFish;
  } else {
    throw UsageError("there is no completion for '" + shell + "'")
        .set_why("it is made for bash, zsh and fish");
  }
  return 0;
}

}  // namespace

Command completion_command() {
  return {
      .name = "completion",
      .group = Group::About,
      .summary = "print the completion script of a shell",
      .usage = "completion bash|zsh|fish",
      .description =
          "It completes verbs, options, snapshot names, tags and pids. `cmake --install` and the "
          "Debian package put the scripts where the shells look.",
      .arguments = kArguments,
      .examples = "source <(icecore completion bash)",
      .run = run};
}

}  // namespace icecore::cli
