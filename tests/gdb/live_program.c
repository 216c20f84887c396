// SPDX-License-Identifier: Apache-2.0
// Does what its argument says, for a debugger to follow: work, threads, fork, vfork, exec, signals,
// loop.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int counter = 0;
volatile int handled = 0;
__thread int thread_value = 40;

/* Not by +=: a thread that stands still between its read and its write takes back what others count. */
__attribute__((noinline)) int work(int amount) {
  __atomic_add_fetch(&counter, amount, __ATOMIC_SEQ_CST);
  return counter * 2;
}

__attribute__((noinline)) int twice(int value) { return 2 * value; }

__attribute__((noinline)) void in_child(void) { counter = 1000; }

static void handler(int signal) { handled = signal; }

static void* worker(void* argument) {
  (void)argument;
  thread_value = 50;
  for (int i = 0; i < 100; ++i) work(1);
  return 0;
}

static int run_threads(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) pthread_create(&threads[i], 0, worker, 0);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], 0);
  return 3;
}

static int run_fork(void) {
  const pid_t child = fork();
  if (child == 0) {
    in_child();
    _exit(5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  work(WEXITSTATUS(status));
  return WEXITSTATUS(status);
}

static int run_vfork(char* self) {
  const pid_t child = vfork();
  if (child == 0) {
    work(1);  // a breakpoint in memory that the parent shares
    execl(self, self, "work", (char*)0);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  work(1);
  return WEXITSTATUS(status);
}

int main(int count, char** words) {
  const char* wish = count > 1 ? words[1] : "work";
  signal(SIGUSR1, handler);
  if (!strcmp(wish, "threads")) return run_threads();
  if (!strcmp(wish, "fork")) return run_fork();
  if (!strcmp(wish, "vfork")) return run_vfork(words[0]);
  if (!strcmp(wish, "exec")) execl(words[0], words[0], "work", (char*)0);
  if (!strcmp(wish, "signals")) {
    raise(SIGUSR1);
    return handled;
  }
  if (!strcmp(wish, "loop")) {
    puts("READY");
    fflush(stdout);
    for (;;) work(twice(1));
  }
  if (!strcmp(wish, "idle")) {
    puts("READY");
    fflush(stdout);
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
      printf("%d\n", work(1));
      fflush(stdout);
    }
    return 0;
  }
  for (int i = 0; i < 5; ++i) work(twice(i));
  getppid();
  return 7;
}
