// SPDX-License-Identifier: Apache-2.0
// Does what makes a run unlike the next one (clocks, random numbers, pids, pipes, files, signals,
// children, memory at new addresses) and mixes all of it into one number, which it prints.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

unsigned long mixed = 0;
volatile unsigned long alarms = 0;

void mix(unsigned long value) { mixed = (mixed ^ value) * 0x9e3779b97f4a7c15UL + (mixed >> 29U); }

void count_alarm(int, siginfo_t* info, void*) {
  alarms = alarms + 1;
  mix(static_cast<unsigned long>(info->si_code));
}

void read_clocks() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  mix(static_cast<unsigned long>(now.tv_nsec));
  timeval time{};
  ::gettimeofday(&time, nullptr);
  mix(static_cast<unsigned long>(time.tv_usec));
  mix(static_cast<unsigned long>(::time(nullptr)));
  mix(__rdtsc());
  unsigned aux = 0;
  mix(__rdtscp(&aux) + aux);
}

void draw_random() {
  unsigned char bytes[64];
  mix(static_cast<unsigned long>(::getrandom(bytes, sizeof bytes, 0)));
  for (const auto byte : bytes) mix(byte);
  std::srand(static_cast<unsigned>(mixed));
  mix(static_cast<unsigned long>(std::rand()));
}

void use_files() {
  int pipes[2];
  if (::pipe(pipes) != 0) return;
  std::string text = "through a pipe " + std::to_string(mixed);
  mix(static_cast<unsigned long>(::write(pipes[1], text.data(), text.size())));
  char buffer[4096] = "";
  const ssize_t got = ::read(pipes[0], buffer, sizeof buffer);
  for (ssize_t i = 0; i < got; ++i) mix(static_cast<unsigned char>(buffer[i]));
  ::close(pipes[0]);
  ::close(pipes[1]);
  FILE* maps = std::fopen("/proc/self/stat", "r");
  while (maps != nullptr && std::fgets(buffer, sizeof buffer, maps) != nullptr) {
    for (std::size_t i = 0; i < std::strlen(buffer); ++i)
      mix(static_cast<unsigned char>(buffer[i]));
  }
  if (maps != nullptr) std::fclose(maps);
  mix(static_cast<unsigned long>(::execl("/no/such/program", "program", nullptr)));
}

void churn_memory(unsigned round) {
  std::vector<char*> blocks;
  for (unsigned i = 1; i < 60; ++i) {
    blocks.push_back(static_cast<char*>(std::malloc(i * 977 * (round % 5 + 1))));
    std::memset(blocks.back(), static_cast<int>(i + mixed), i * 977);
  }
  for (unsigned i = 0; i < blocks.size(); i += 2) std::free(blocks[i]);
  std::string copy(blocks[1], 977);
  mix(std::strlen(copy.c_str()) + copy.find('x'));
  for (unsigned i = 1; i < blocks.size(); i += 2) std::free(blocks[i]);
  auto* area = static_cast<unsigned*>(
      ::mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  for (unsigned i = 0; i < 16384; ++i) area[i] = static_cast<unsigned>(mixed + i * 2654435761U);
  std::qsort(area, 16384, sizeof *area, [](const void* one, const void* other) {
    const auto a = *static_cast<const unsigned*>(one);
    const auto b = *static_cast<const unsigned*>(other);
    return a < b ? -1 : static_cast<int>(a > b);
  });
  mix(area[8000]);
  area = static_cast<unsigned*>(::mremap(area, 65536, 1U << 20U, MREMAP_MAYMOVE));
  mix(area[8001] + area[200000] + reinterpret_cast<unsigned long>(area));
  ::munmap(area, 1U << 20U);
  const int self = ::open("/proc/self/exe", O_RDONLY);
  auto* file = static_cast<unsigned char*>(::mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, self, 0));
  for (unsigned i = 0; i < 8192; ++i) mix(file[i]);
  ::munmap(file, 8192);
  ::close(self);
}

void take_signals() {
  ::raise(SIGUSR1);
  // Blocked up to the call that waits for it: it might come before.
  sigset_t alarm;
  sigset_t before;
  ::sigemptyset(&alarm);
  ::sigaddset(&alarm, SIGALRM);
  ::sigprocmask(SIG_BLOCK, &alarm, &before);
  itimerval timer{};
  timer.it_value.tv_usec = 1500;
  ::setitimer(ITIMER_REAL, &timer, nullptr);
  mix(static_cast<unsigned long>(::sigsuspend(&before)));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

/// One round of something that makes no system call.
void compute(unsigned kind, unsigned long round) {
  static unsigned char bytes[30000];
  char text[100];
  switch (kind % 4) {
    case 0:
      return;
    case 1:
      std::memset(bytes, static_cast<int>(round), sizeof bytes - round % 64);
      mix(bytes[round % sizeof bytes]);
      return;
    case 2:
      mix(static_cast<unsigned long>(
          std::snprintf(text, sizeof text, "%lu %.4f %s", round, round / 7.0, "computing")));
      mix(std::strlen(text));
      return;
    default:
      for (unsigned i = 0; i < 20; ++i) bytes[i] = static_cast<unsigned char>(bytes[i] + i);
  }
}

/// How many rounds there were is another number each time.
void compute_until_alarm(unsigned kind) {
  const unsigned long before = alarms;
  unsigned long rounds = 0;
  itimerval timer{};
  timer.it_value.tv_usec = 300 + static_cast<suseconds_t>(mixed % 1000);
  ::setitimer(ITIMER_REAL, &timer, nullptr);
  if (kind % 5 == 4) {
    while (alarms == before) {
    }
  } else {
    while (alarms == before) compute(kind % 5, ++rounds);
  }
  mix(rounds);
}

void make_children() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  int status = 0;
  mix(static_cast<unsigned long>(::waitpid(child, &status, 0)));
  mix(static_cast<unsigned long>(status));
  mix(static_cast<unsigned long>(std::system("exit 3")));
}

}  // namespace

int main(int count, char** arguments) {
  struct sigaction action {};
  action.sa_sigaction = count_alarm;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGALRM, &action, nullptr);
  ::sigaction(SIGUSR1, &action, nullptr);
  const unsigned rounds = count > 1 ? static_cast<unsigned>(std::atoi(arguments[1])) : 3;
  for (unsigned round = 0; round < rounds; ++round) {
    read_clocks();
    draw_random();
    use_files();
    churn_memory(round);
    take_signals();
    for (unsigned kind = 0; kind < 5; ++kind) compute_until_alarm(kind);
    make_children();
    std::printf("round %u: %016lx, %lu signals\n", round, mixed, alarms);
    std::fflush(stdout);
  }
}
