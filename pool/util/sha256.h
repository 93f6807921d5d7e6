// SHA-256 of bytes and files, as lower-case hexadecimal.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "pool/util/result.h"

namespace cultivar {

// SHA-256 in pieces. Not thread-safe; finish() may be called once.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::string_view bytes);
    void update(const void* data, std::size_t size_bytes);
    std::string finish_hex();  // 64 digits

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::string_view bytes);

// Reads the file in pieces of 1 MiB. Errors: io, not_found.
Result<std::string> sha256_file_hex(const std::string& path);

// True for exactly `digits` lower-case hexadecimal digits.
bool is_hex(std::string_view text, std::size_t digits);

}  // namespace cultivar
