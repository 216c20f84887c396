// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/invocation.h"
#include "snapshot/recorder.h"
#include "store/store.h"

namespace icecore::cli {

// Rows that run, attach and snap share.
inline constexpr Option kEveryOption{
    "every", 0, "TIME", "take a snapshot at this distance: 500ms, 2s, 1m", Completes::Nothing,
    "1s"};
inline constexpr Option kCountOption{"count", 'n', "N", "take no more than N periodic snapshots"};
inline constexpr Option kNameOption{"name", 0, "NAME",
                                    "call the recording NAME (default: after the program)"};
inline constexpr Option kTagOption{"tag", 0, "TAG", "tag the snapshots"};
inline constexpr Option kFreezeTimeoutOption{
    "freeze-timeout",   0,   "TIME", "thaw and skip the snapshot when freezing takes longer",
    Completes::Nothing, "2s"};
inline constexpr Option kFilesOption{
    "files",
    0,
    "identity|written",
    "keep of open files what tells them apart, or also the contents of those that the tree may "
    "write",
    Completes::Nothing,
    "identity"};
inline constexpr Option kFilesLimitOption{
    "files-limit",      0,    "SIZE", "keep no contents of files that hold more: 512K, 64M, 2G",
    Completes::Nothing, "64M"};
inline constexpr Option kBufferOption{
    "buffer", 0, "SIZE",
    "hold up to SIZE of copied pages in memory until they are stored, and more in a file: 512M, 2G "
    "(default: a quarter of the machine's memory)"};
inline constexpr Option kUndumpableOption{"allow-undumpable", 0, "",
                                          "also take a process that asked not to be dumped "
                                          "(PR_SET_DUMPABLE 0): its memory holds secrets"};

/// --files and --files-limit understood.
[[nodiscard]] snapshot::FileKeeping file_keeping(const Invocation& invocation);

/// --buffer understood, in bytes.
[[nodiscard]] std::uint64_t buffer_bytes(const Invocation& invocation);

/// --every, --count, --tag, --freeze-timeout and the above understood; notes go to stderr unless
/// -q.
[[nodiscard]] snapshot::RecorderOptions recorder_options(const Invocation& invocation);

/// Whether `name` can name a recording; throws UsageError when not.
void require_recording_name(std::string_view name);
/// The same for a process that runs: one that was restored continues its recording.
[[nodiscard]] std::string recording_name(const Invocation& invocation, const store::Store& store,
                                         int pid, std::string_view base);
/// The recording's name: --name, else one made of `base` that is not taken.
[[nodiscard]] std::string recording_name(const Invocation& invocation, const store::Store& store,
                                         std::string_view base);

/// "recorded 12 snapshots; look at the last with: icecore gdb NAME@12"
void note_end(const Invocation& invocation, const std::string& name,
              const snapshot::Recorder& recorder);

}  // namespace icecore::cli
