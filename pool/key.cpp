#include "pool/key.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <sstream>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "pool/digest.h"
#include "pool/file.h"

namespace cultivar {
namespace {

constexpr std::string_view kKind = "ssh-ed25519";
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----";

using PKey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

std::string wire(std::string_view text) {
    auto size = static_cast<std::uint32_t>(text.size());
    std::string out;
    for (int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>((size >> shift) & 255));
    return out.append(text);
}

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

std::string sha512(std::string_view bytes) {
    std::array<unsigned char, 64> raw{};
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), raw.data(), &size, EVP_sha512(), nullptr);
    return {reinterpret_cast<char*>(raw.data()), size};
}

std::string signed_form(std::string_view bytes) {
    return "SSHSIG" + wire("git") + wire("") + wire("sha512") + wire(sha512(bytes));
}

std::string public_wire(EVP_PKEY* key) {
    std::array<unsigned char, 32> raw{};
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key, raw.data(), &size);
    return wire(kKind) + wire({reinterpret_cast<char*>(raw.data()), size});
}

}  // namespace

struct Key::Impl {
    PKey key{nullptr, EVP_PKEY_free};
};

Result<Key> Key::load_or_create(const std::string& path) {
    Key key;
    key.impl_ = std::make_shared<Impl>();
    if (std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "r"), &std::fclose); file) {
        key.impl_->key.reset(PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr));
        if (!key.impl_->key || EVP_PKEY_get_base_id(key.impl_->key.get()) != EVP_PKEY_ED25519)
            return fail(Code::corrupt, fmt::format("'{}' is not an Ed25519 private key", path));
        return key;
    }
    key.impl_->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    if (!key.impl_->key) return fail(Code::io, "cannot make a key");
    std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PrivateKey(bio.get(), key.impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &data));
    TRY(write_file_atomically(path, {data, size}, 0600));
    return key;
}

std::string Key::public_text() const { return fmt::format("{} {}", kKind, base64(public_wire(impl_->key.get()))); }

std::string Key::fingerprint() const { return sha256_hex(public_wire(impl_->key.get())); }

Result<std::string> Key::sign(std::string_view bytes) const {
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string message = signed_form(bytes);
    std::array<unsigned char, 64> raw{};
    std::size_t size = raw.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, impl_->key.get()) != 1 ||
        EVP_DigestSign(context.get(), raw.data(), &size, reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) != 1)
        return fail(Code::io, "cannot sign");
    std::string blob = "SSHSIG" + std::string("\0\0\0\1", 4) + wire(public_wire(impl_->key.get())) + wire("git") +
                       wire("") + wire("sha512") +
                       wire(wire(kKind) + wire({reinterpret_cast<char*>(raw.data()), size}));
    std::string body = base64(blob), out = std::string(kBegin) + "\n";
    for (std::size_t at = 0; at < body.size(); at += 70) out += body.substr(at, 70) + "\n";
    return out + std::string(kEnd);
}

Result<std::string> verify_signature(std::string_view armoured, std::string_view bytes) {
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
    if (space != "git" || hash != "sha512") return bad("is of another namespace or hash");
    if (!take(key_rest, kind) || kind != kKind || !take(key_rest, raw_key) || raw_key.size() != 32 ||
        !take(signature, kind) || kind != kKind || !take(signature, raw) || raw.size() != 64)
        return bad("is not of an Ed25519 key");
    PKey public_key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                reinterpret_cast<const unsigned char*>(raw_key.data()), raw_key.size()),
                    EVP_PKEY_free);
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string message = signed_form(bytes);
    if (!public_key || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key.get()) != 1 ||
        EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(raw.data()), raw.size(),
                         reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1)
        return bad("does not fit what it signs");
    return sha256_hex(key);
}

Result<std::string> signer_of(const Repo& repo, const Oid& commit) {
    TRY_ASSIGN(auto signature, repo.signature(commit));
    if (!signature) return std::string();
    return verify_signature(signature->first, signature->second);
}

namespace {

// `a,b="c,d"` at its commas, those between quotes aside.
std::vector<std::string> split_options(const std::string& text) {
    std::vector<std::string> options(1);
    bool quoted = false;
    for (char c : text) {
        if (c == '"') quoted = !quoted;
        if (c == ',' && !quoted) {
            options.emplace_back();
        } else {
            options.back().push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
        }
    }
    return options;
}

bool names_git(std::string namespaces) {
    std::erase(namespaces, '"');
    std::istringstream words(namespaces);
    for (std::string word; std::getline(words, word, ',');) {
        if (word == "git" || word == "*") return true;
    }
    return false;
}

// May the key sign commits? What would narrow or widen a line's trust and is not known here is refused, not passed over.
Result<bool> options_allow_git(const std::string& text) {
    constexpr std::string_view kNamespaces = "namespaces=";
    bool for_git = true;
    for (const std::string& option : split_options(text)) {
        if (!option.starts_with(kNamespaces))
            return fail(Code::corrupt,
                        option == "cert-authority"
                            ? std::string("allowed_signers: certificates are not honoured ('cert-authority'): name "
                                          "each verifier's own key")
                            : fmt::format("allowed_signers: the option '{}' is not honoured: name each verifier's "
                                          "own key, with namespaces=\"git\" at most",
                                          option.substr(0, option.find('='))));
        for_git = names_git(option.substr(kNamespaces.size()));
    }
    return for_git;
}

}  // namespace

Result<std::vector<AllowedSigner>> parse_allowed_signers(std::string_view text) {
    std::vector<AllowedSigner> signers;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
        std::istringstream words(line);
        std::string principal, kind, body;
        words >> principal >> kind;
        bool for_git = true;
        if (!kind.starts_with("ssh-") && !kind.starts_with("ecdsa-") && !kind.starts_with("sk-")) {
            TRY_ASSIGN(for_git, options_allow_git(kind));
            words >> kind;
        }
        if (!(words >> body)) return fail(Code::corrupt, fmt::format("allowed_signers: malformed line '{}'", line));
        if (kind != kKind || !for_git) continue;
        TRY_ASSIGN(std::string blob, unbase64(body));
        signers.push_back({principal, kind + " " + body, sha256_hex(blob)});
    }
    return signers;
}

}  // namespace cultivar
