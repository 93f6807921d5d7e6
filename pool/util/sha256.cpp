#include "pool/util/sha256.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <openssl/evp.h>

namespace cultivar {

struct Sha256::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();
    ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // a search that is worth doing once
    EVP_DigestInit_ex(context_->evp, sha256, nullptr);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) { update(bytes.data(), bytes.size()); }

void Sha256::update(const void* data, std::size_t size_bytes) { EVP_DigestUpdate(context_->evp, data, size_bytes); }

std::string Sha256::finish_hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_->evp, raw.data(), &size);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * size);
    for (unsigned int i = 0; i < size; ++i) {
        hex.push_back(kDigits[raw[i] >> 4]);
        hex.push_back(kDigits[raw[i] & 15]);
    }
    return hex;
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 sha;
    sha.update(bytes);
    return sha.finish_hex();
}

Result<std::string> sha256_file_hex(const std::string& path) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file)
        return fail(errno == ENOENT ? Code::not_found : Code::io,
                    "cannot open '" + path + "': " + std::strerror(errno));
    Sha256 sha;
    std::vector<char> buffer(1 << 20);
    while (std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get())) sha.update(buffer.data(), got);
    if (std::ferror(file.get())) return fail(Code::io, "cannot read '" + path + "'");
    return sha.finish_hex();
}

bool is_hex(std::string_view text, std::size_t digits) {
    return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace cultivar
