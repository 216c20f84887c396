// SPDX-License-Identifier: Apache-2.0
#include "store/digest.h"

#include <llvm-c/blake3.h>

namespace icecore::store {
namespace {

void hash_into(std::span<const std::byte> bytes, std::span<std::byte> out) {
  llvm_blake3_hasher hasher;
  llvm_blake3_hasher_init(&hasher);
  llvm_blake3_hasher_update(&hasher, bytes.data(), bytes.size());
  llvm_blake3_hasher_finalize(&hasher, reinterpret_cast<std::uint8_t*>(out.data()), out.size());
}

}  // namespace

Digest digest_of(std::span<const std::byte> bytes) {
  Digest digest;
  hash_into(bytes, digest);
  return digest;
}

PageHash page_hash_of(std::span<const std::byte> page) {
  PageHash hash;
  hash_into(page, hash);
  return hash;
}

struct Hasher::State {
  llvm_blake3_hasher hasher;
};

Hasher::Hasher() : state_(std::make_unique<State>()) { llvm_blake3_hasher_init(&state_->hasher); }
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  llvm_blake3_hasher_update(&state_->hasher, bytes.data(), bytes.size());
}

Digest Hasher::finish() const {
  Digest digest;
  llvm_blake3_hasher_finalize(&state_->hasher, reinterpret_cast<std::uint8_t*>(digest.data()),
                              digest.size());
  return digest;
}

}  // namespace icecore::store
