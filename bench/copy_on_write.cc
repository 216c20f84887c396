// SPDX-License-Identifier: Apache-2.0
// What copying on write would cost the pause, beside copying in it (docs/decisions/012): 1 GiB of
// which 10 % was written, scattered. Prints the least of some rounds of each, in milliseconds, as a
// Markdown table. Build and run: c++ -O2 -std=c++20 -pthread bench/copy_on_write.cc -o /tmp/cow &&
// /tmp/cow
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = (std::size_t{1} << 30U) / kPage;
constexpr std::size_t kDirty = kPages / 10;
constexpr int kRounds = 15;

double clock_ms(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

/// Processor time of this thread: what else the machine does must not count.
template <typename Action>
double milliseconds(Action action, clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  const double begin = clock_ms(clock);
  action();
  return clock_ms(clock) - begin;
}

char* page(char* data, std::size_t i) { return data + i * (kPages / kDirty) * kPage; }

void write_dirty(char* data) {
  for (std::size_t i = 0; i < kDirty; ++i) *page(data, i) += 1;
}

void copy_dirty(char* data, std::vector<char>& buffer) {
  constexpr std::size_t kVectors = 512;
  for (std::size_t done = 0; done < kDirty;) {
    iovec from[kVectors];
    std::size_t count = 0;
    for (; count < kVectors && done + count < kDirty; ++count) {
      from[count] = {page(data, done + count), kPage};
    }
    iovec to{buffer.data() + done * kPage, count * kPage};
    if (::process_vm_readv(::getpid(), &to, 1, from, count, 0) < 0) std::exit(1);
    done += count;
  }
}

void protect(int fd, char* start, std::size_t size, bool on) {
  uffdio_writeprotect range{};
  range.range = {reinterpret_cast<std::uint64_t>(start), size};
  range.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0;
  if (::ioctl(fd, UFFDIO_WRITEPROTECT, &range) != 0) std::perror("writeprotect"), std::exit(1);
}

/// Answers faults as a recorder would that copies the page first.
void serve(int fd, std::vector<char>& buffer, const std::atomic<bool>& over) {
  while (!over) {
    pollfd polled{fd, POLLIN, 0};
    if (::poll(&polled, 1, 10) <= 0) continue;
    uffd_msg message{};
    if (::read(fd, &message, sizeof message) != sizeof message) continue;
    auto* const at = reinterpret_cast<char*>(message.arg.pagefault.address & ~(kPage - 1));
    std::copy(at, at + kPage, buffer.data());
    protect(fd, at, kPage, false);
  }
}

}  // namespace

int main() {
  auto* data = static_cast<char*>(
      ::mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ::madvise(data, kPages * kPage, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < kPages; ++i) data[i * kPage] = 1;
  std::vector<char> buffer(kDirty * kPage, 1);
  const int fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP;
  uffdio_register range{};
  range.range = {reinterpret_cast<std::uint64_t>(data), kPages * kPage};
  range.mode = UFFDIO_REGISTER_MODE_WP;
  if (fd < 0 || ::ioctl(fd, UFFDIO_API, &api) != 0 || ::ioctl(fd, UFFDIO_REGISTER, &range) != 0) {
    std::perror("userfaultfd");
    return 1;
  }
  double copying = 1e9;
  double all = 1e9;
  double single = 1e9;
  double forking = 1e9;
  double plain = 1e9;
  double faulting = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    copying = std::min(copying, milliseconds([&] { copy_dirty(data, buffer); }));
    all = std::min(all, milliseconds([&] { protect(fd, data, kPages * kPage, true); }));
    protect(fd, data, kPages * kPage, false);
    single = std::min(single, milliseconds([&] {
                        for (std::size_t i = 0; i < kDirty; ++i) {
                          protect(fd, page(data, i), kPage, true);
                        }
                      }));
    std::atomic<bool> over = false;
    std::vector<char> one(kPage);
    std::thread server([&] { serve(fd, one, over); });
    faulting = std::min(faulting, milliseconds([&] { write_dirty(data); }, CLOCK_MONOTONIC));
    over = true;
    server.join();
    plain = std::min(plain, milliseconds([&] { write_dirty(data); }));
    forking = std::min(forking, milliseconds([&] {
                         const pid_t child = ::fork();
                         if (child == 0) ::_exit(0);
                         ::waitpid(child, nullptr, 0);
                       }));
  }
  std::printf("| in the pause, 1 GiB of which 10 %% is dirty | ms | to copying |\n|---|---|---|\n");
  const auto row = [&](const char* what, double time) {
    std::printf("| %s | %.1f | %.2f |\n", what, time, time / copying);
  };
  row("process_vm_readv of the dirty pages", copying);
  row("write protection of the whole GiB, one call", all);
  row("write protection of the dirty pages, one call each", single);
  row("fork() of the program", forking);
  std::printf("\n| the program's next writes to these pages | us per page |\n|---|---|\n");
  std::printf("| protected, each copied by the recorder first | %.2f |\n",
              faulting * 1000 / kDirty);
  std::printf("| not protected | %.2f |\n", plain * 1000 / kDirty);
}
