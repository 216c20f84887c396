// SPDX-License-Identifier: Apache-2.0
// What scripts/demo looks into: a bank whose clerks move money about. It begins with 3000.00 in all
// and must always hold that; after a few seconds it does not. Which transfer took the money?
#include <array>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

struct Account {
  const char* owner;
  long cents;
};

class Bank {
 public:
  void transfer(std::size_t from, std::size_t to, long cents) {
    const std::lock_guard guard(mutex_);
    accounts_[from].cents -= cents;
    ++transfers_;
    if (transfers_ % 25 == 0) cents -= fee_;  // the bug: nobody gets the fee
    accounts_[to].cents += cents;
  }
  long total() {
    const std::lock_guard guard(mutex_);
    long sum = 0;
    for (const Account& account : accounts_) sum += account.cents;
    return sum;
  }
  static constexpr std::size_t kAccounts = 3;

 private:
  std::mutex mutex_;
  std::array<Account, kAccounts> accounts_ = {
      {{"Alice", 100000}, {"Bob", 100000}, {"Carol", 100000}}};
  int transfers_ = 0;
  long fee_ = 7;
};

Bank bank;

void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

void clerk(int number, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const auto from = static_cast<std::size_t>(round + number) % Bank::kAccounts;
    const auto to = (from + 1) % Bank::kAccounts;
    const long amount = 100 + 13L * round;
    bank.transfer(from, to, amount);
    rest();
  }
}

int main() {
  constexpr int kRounds = 150;  // about three seconds
  std::thread anna(clerk, 1, kRounds);
  std::thread ben(clerk, 2, kRounds);
  anna.join();
  ben.join();
  const long total = bank.total();
  std::printf("the bank holds %ld.%02ld\n", total / 100, total % 100);
  return 0;
}
