// SPDX-License-Identifier: Apache-2.0
#include "replay/restore/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "snapshot/capture/seccomp_filters.h"
#include "snapshot/tracing/ptrace.h"

namespace icecore::replay {

namespace ptrace_call = snapshot::ptrace_call;

namespace {

void install(RestoredProcess& process, const model::Thread& thread, int tid) {
  const std::string what = "thread " + std::to_string(inner_tid(thread)) + ": its seccomp";
  CallBatch batch(process.puppet, tid);
  if (snapshot::seccomp_mode(*process.model, thread) == SECCOMP_MODE_STRICT) {
    batch.add(SYS_prctl, {PR_SET_SECCOMP, SECCOMP_MODE_STRICT}, what);
  }
  for (const auto index : thread.seccomp_filters()) {
    const auto& filter = process.model->seccomp_filters(static_cast<int>(index));
    const std::string& program = filter.program();
    sock_fprog description{};
    description.len = static_cast<unsigned short>(program.size() / sizeof(sock_filter));
    // An address in the process, not here.
    description.filter = reinterpret_cast<sock_filter*>(
        batch.put(std::as_bytes(std::span(program.data(), program.size()))));
    const auto address = batch.put_struct(description);
    batch.add(SYS_seccomp, {SECCOMP_SET_MODE_FILTER, filter.flags(), address}, what);
  }
  batch.run();
}

}  // namespace

void install_seccomp(RestoredProcess& process) {
  for (const auto& thread : process.model->threads()) {
    const auto tid = process.threads.find(thread.tid());
    if (tid == process.threads.end()) continue;
    if (snapshot::seccomp_mode(*process.model, thread) == 0) continue;
    with_context("suspending seccomp", [&] {
      ptrace_call::set_options(tid->second,
                               ptrace_call::puppet_options() | ptrace_call::kSuspendSeccomp);
    });
    install(process, thread, tid->second);
  }
}

void resume_seccomp(const RestoredProcess& process) {
  for (const auto& thread : process.model->threads()) {
    const auto tid = process.threads.find(thread.tid());
    if (tid == process.threads.end()) continue;
    if (snapshot::seccomp_mode(*process.model, thread) == 0) continue;
    ptrace_call::set_options(tid->second, ptrace_call::puppet_options());
  }
}

}  // namespace icecore::replay
