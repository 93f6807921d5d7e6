#include "pool/git/sshsig.h"

#include <array>
#include <cctype>
#include <cstdint>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "pool/util/sha256.h"

namespace cultivar {
namespace sshsig {
namespace {

// Takes one length-prefixed string off the front.
bool take(std::string_view& from, std::string_view& into) {
    if (from.size() < 4) return false;
    std::uint32_t size = 0;
    for (int i = 0; i < 4; ++i) size = (size << 8) | static_cast<unsigned char>(from[static_cast<std::size_t>(i)]);
    if (size > from.size() - 4) return false;
    into = from.substr(4, size);
    from.remove_prefix(4 + size);
    return true;
}

std::string digest_of(std::string_view bytes, bool sha256) {
    std::array<unsigned char, 64> raw{};
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), raw.data(), &size, sha256 ? EVP_sha256() : EVP_sha512(), nullptr);
    return {reinterpret_cast<char*>(raw.data()), size};
}

}  // namespace

std::string wire(std::string_view text) {
    auto size = static_cast<std::uint32_t>(text.size());
    std::string out;
    for (int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>((size >> shift) & 255));
    return out.append(text);
}

std::string base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                               reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

Result<std::string> unbase64(std::string text) {
    if (text.size() % 4 != 0 || text.size() > 8192) return fail(Code::corrupt, "malformed base64");
    std::string out(3 * (text.size() / 4), '\0');
    int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                               reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) return fail(Code::corrupt, "malformed base64");
    std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

std::string signed_form(std::string_view name_space, std::string_view hash, std::string_view bytes) {
    return "SSHSIG" + wire(name_space) + wire("") + wire(hash) + wire(digest_of(bytes, hash == "sha256"));
}

std::string public_wire(EVP_PKEY* key) {
    std::array<unsigned char, 32> raw{};
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key, raw.data(), &size);
    return wire(kKind) + wire({reinterpret_cast<char*>(raw.data()), size});
}

}  // namespace sshsig

using namespace sshsig;

Result<std::string> verify_signature(std::string_view armoured, std::string_view bytes, std::string_view name_space) {
    auto bad = [](const char* why) { return fail(Code::corrupt, fmt::format("a signature {}", why)); };
    std::size_t begin = armoured.find(kBegin), end = armoured.find(kEnd);
    if (begin != 0 || end == std::string_view::npos || armoured.size() > 8192) return bad("is not an SSH signature");
    std::string body;
    for (char c : armoured.substr(kBegin.size(), end - kBegin.size())) {
        if (!std::isspace(static_cast<unsigned char>(c))) body.push_back(c);
    }
    TRY_ASSIGN(std::string blob, unbase64(body));
    std::string_view rest = blob, key, space, reserved, hash, signature, kind, raw_key, raw;
    if (rest.substr(0, 10) != std::string_view("SSHSIG\0\0\0\1", 10)) return bad("is of an unknown version");
    rest.remove_prefix(10);
    if (!take(rest, key) || !take(rest, space) || !take(rest, reserved) || !take(rest, hash) ||
        !take(rest, signature) || !rest.empty())
        return bad("is malformed");
    std::string_view key_rest = key;
    if (space != name_space || (hash != "sha512" && hash != "sha256")) return bad("is of another namespace or hash");
    if (!take(key_rest, kind) || kind != kKind || !take(key_rest, raw_key) || raw_key.size() != 32 ||
        !take(signature, kind) || kind != kKind || !take(signature, raw) || raw.size() != 64)
        return bad("is not of an Ed25519 key");
    PKey public_key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                reinterpret_cast<const unsigned char*>(raw_key.data()), raw_key.size()),
                    EVP_PKEY_free);
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string message = signed_form(name_space, hash, bytes);
    if (!public_key || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key.get()) != 1 ||
        EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(raw.data()), raw.size(),
                         reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1)
        return bad("does not match the signed bytes");
    return sha256_hex(key);
}

Result<std::string> signer_of(const Repo& repo, const Oid& commit) {
    TRY_ASSIGN(auto signature, repo.signature(commit));
    if (!signature) return std::string();
    return verify_signature(signature->first, signature->second);
}

}  // namespace cultivar
