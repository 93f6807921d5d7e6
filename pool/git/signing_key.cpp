#include "pool/git/signing_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "pool/process/communicate.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr std::string_view kKind = "ssh-ed25519";
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----";
constexpr double kAsk_s = 60;  // a key on a token may want a touch

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

std::string digest_of(std::string_view bytes, bool sha256) {
    std::array<unsigned char, 64> raw{};
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), raw.data(), &size, sha256 ? EVP_sha256() : EVP_sha512(), nullptr);
    return {reinterpret_cast<char*>(raw.data()), size};
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

}  // namespace

namespace {

std::string at_home(const std::string& path) {
    const char* home = std::getenv("HOME");
    return path.starts_with("~/") && home ? home + path.substr(1) : path;
}

// What `ssh-keygen -Y sign` makes of these bytes with a key's file, or the agent's key of that public file.
Result<std::string> ask_ssh_keygen(const std::string& key_file, std::string_view name_space, std::string_view bytes) {
    std::string folder = std::filesystem::temp_directory_path() / "cultivar-sign-XXXXXX";
    if (!::mkdtemp(folder.data())) return fail(Code::io, "cannot make a temporary folder to sign in");
    const std::string file = folder + "/signed";
    auto asked = [&]() -> Result<std::string> {
        TRY(write_file_atomically(file, bytes, 0600));
        TRY_ASSIGN(Child child,
                   Child::start({"ssh-keygen", "-Y", "sign", "-n", std::string(name_space), "-f", key_file, file}, 0));
        TransportLimits limits;
        limits.silence_s = limits.total_s = kAsk_s;
        TRY_ASSIGN(ProcessOutput heard, communicate(child, limits, {}));
        if (heard.exit_code != 0)
            return fail(Code::io,
                        fmt::format("ssh-keygen does not sign with '{}': {}", key_file,
                                    heard.err.substr(0, heard.err.find('\n'))),
                        "ssh-add " + key_file);
        return read_file(file + ".sig", 8192);
    }();
    std::error_code ec;
    std::filesystem::remove_all(folder, ec);
    if (!asked) return asked;
    while (!asked->empty() && asked->back() == '\n') asked->pop_back();
    return asked;
}

}  // namespace

struct Key::Impl {
    PKey key{nullptr, EVP_PKEY_free};
    std::string public_blob;  // wire form
    std::string user_file;    // of a user's key
};

Result<Key> Key::load_or_create(const std::string& path) {
    Key key;
    key.impl_ = std::make_shared<Impl>();
    if (std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "r"), &std::fclose); file) {
        key.impl_->key.reset(PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr));
        if (!key.impl_->key || EVP_PKEY_get_base_id(key.impl_->key.get()) != EVP_PKEY_ED25519)
            return fail(Code::corrupt, fmt::format("'{}' is not an Ed25519 private key", path));
        key.impl_->public_blob = public_wire(key.impl_->key.get());
        return key;
    }
    key.impl_->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    if (!key.impl_->key) return fail(Code::io, "cannot make a key");
    std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PrivateKey(bio.get(), key.impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &data));
    TRY(write_file_atomically(path, {data, size}, 0600));
    key.impl_->public_blob = public_wire(key.impl_->key.get());
    return key;
}

Result<Key> Key::of_user(const std::string& path) {
    Key key;
    key.impl_ = std::make_shared<Impl>();
    key.impl_->user_file = at_home(path);
    const std::string& file = key.impl_->user_file;
    auto text = read_file(file.ends_with(".pub") ? file : file + ".pub", 16384);
    if (!text)
        return fail(Code::not_found, fmt::format("cannot find the public SSH key of '{}'", path),
                    "git config --get cultivar.signingKey");
    std::istringstream words(*text);
    std::string kind, body;
    words >> kind >> body;
    if (kind != kKind)
        return fail(Code::corrupt, fmt::format("'{}' is not an Ed25519 key", path), "ssh-keygen -t ed25519");
    TRY_ASSIGN(key.impl_->public_blob, unbase64(body));
    return key;
}

std::string Key::public_text() const { return fmt::format("{} {}", kKind, base64(impl_->public_blob)); }

std::string Key::fingerprint() const { return sha256_hex(impl_->public_blob); }

Result<std::string> Key::sign_as(std::string_view name_space, std::string_view bytes) const {
    if (!impl_->user_file.empty()) return ask_ssh_keygen(impl_->user_file, name_space, bytes);
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string message = signed_form(name_space, "sha512", bytes);
    std::array<unsigned char, 64> raw{};
    std::size_t size = raw.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, impl_->key.get()) != 1 ||
        EVP_DigestSign(context.get(), raw.data(), &size, reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) != 1)
        return fail(Code::io, "cannot sign");
    std::string blob = "SSHSIG" + std::string("\0\0\0\1", 4) + wire(impl_->public_blob) + wire(name_space) + wire("") +
                       wire("sha512") + wire(wire(kKind) + wire({reinterpret_cast<char*>(raw.data()), size}));
    std::string body = base64(blob), out = std::string(kBegin) + "\n";
    for (std::size_t at = 0; at < body.size(); at += 70) out += body.substr(at, 70) + "\n";
    return out + std::string(kEnd);
}

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

bool names(std::string namespaces, std::string_view wanted) {
    std::erase(namespaces, '"');
    std::istringstream words(namespaces);
    for (std::string word; std::getline(words, word, ',');) {
        if (word == wanted || word == "*") return true;
    }
    return false;
}

// "20261231z", "202612311200z", "20261231120000z", with or without quotes.
Result<std::int64_t> validity_time(std::string text) {
    std::erase(text, '"');
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits == std::string::npos)
        return fail(
            Code::corrupt,
            fmt::format("allowed_signers: the time '{}' means another one on every machine: end it in Z", text));
    if ((digits != 8 && digits != 12 && digits != 14) || text.substr(digits) != "z")
        return fail(Code::corrupt, fmt::format("allowed_signers: '{}' is not a time", text));
    text.resize(digits);
    text.resize(14, '0');
    auto part = [&](std::size_t at, std::size_t size) { return text.substr(at, size); };
    auto unix_s = parse_utc(
        fmt::format("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 2), part(6, 2), part(8, 2), part(10, 2), part(12, 2)));
    return unix_s ? unix_s : fail(Code::corrupt, fmt::format("allowed_signers: '{}' is not a time", text));
}

// May the key sign in this namespace? What would narrow or widen a line's trust and is not known here is refused, not
// passed over.
Result<bool> read_options(const std::string& text, std::string_view name_space, AllowedSigner& signer) {
    bool allowed = true;
    for (const std::string& option : split_options(text)) {
        const std::size_t equals = std::min(option.find('='), option.size());
        const std::string key = option.substr(0, equals), value = option.substr(std::min(equals + 1, option.size()));
        if (key == "namespaces") {
            allowed = names(value, name_space);
        } else if (key == "valid-after") {
            TRY_ASSIGN(signer.valid_after_s, validity_time(value));
        } else if (key == "valid-before") {
            TRY_ASSIGN(signer.valid_before_s, validity_time(value));
        } else {
            return fail(Code::corrupt, key == "cert-authority"
                                           ? std::string("allowed_signers: certificates are not honoured "
                                                         "('cert-authority'): name each verifier's own key")
                                           : fmt::format("allowed_signers: the option '{}' is not honoured: name each "
                                                         "verifier's own key, with namespaces=\"git\" at most",
                                                         key));
        }
    }
    return allowed;
}

}  // namespace

Result<std::vector<AllowedSigner>> parse_allowed_signers(std::string_view text, std::string_view name_space) {
    std::vector<AllowedSigner> signers;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
        std::istringstream words(line);
        AllowedSigner signer;
        std::string kind, body;
        words >> signer.principal >> kind;
        bool allowed = true;
        if (!kind.starts_with("ssh-") && !kind.starts_with("ecdsa-") && !kind.starts_with("sk-")) {
            TRY_ASSIGN(allowed, read_options(kind, name_space, signer));
            words >> kind;
        }
        if (!(words >> body)) return fail(Code::corrupt, fmt::format("allowed_signers: malformed line '{}'", line));
        if (kind != kKind || !allowed) continue;
        TRY_ASSIGN(std::string blob, unbase64(body));
        signer.public_text = kind + " " + body;
        signer.fingerprint = sha256_hex(blob);
        signers.push_back(std::move(signer));
    }
    return signers;
}

std::string why_not_allowed(const std::vector<AllowedSigner>& signers, const std::string& fingerprint,
                            std::int64_t unix_s) {
    std::string why = "is not signed by a verifier of this pool (allowed_signers on main)";
    for (const AllowedSigner& signer : signers) {
        if (signer.fingerprint != fingerprint) continue;
        if (signer.valid_after_s && unix_s < *signer.valid_after_s) {
            why = fmt::format("is signed by a key that holds from {} on (allowed_signers on main)",
                              utc_text(*signer.valid_after_s));
        } else if (signer.valid_before_s && unix_s > *signer.valid_before_s) {
            why = fmt::format("is signed by a key that expired at {} (allowed_signers on main)",
                              utc_text(*signer.valid_before_s));
        } else {
            return "";
        }
    }
    return why;
}

}  // namespace cultivar
