#include "pool/git/signing_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
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

namespace cultivar {
namespace {

using namespace sshsig;

constexpr double kAsk_s = 60;  // a key on a token may want a touch

std::string at_home(const std::string& path) {
    const char* home = std::getenv("HOME");
    return path.starts_with("~/") && home ? home + path.substr(1) : path;
}

// Signs with `ssh-keygen -Y sign`: with a key's file, or the agent's key of that public file.
Result<std::string> ask_ssh_keygen(const std::string& key_file, std::string_view name_space, std::string_view bytes) {
    std::string folder = std::filesystem::temp_directory_path() / "cultivar-sign-XXXXXX";
    if (!::mkdtemp(folder.data())) return fail(Code::io, "cannot make a temporary folder to sign in");
    const std::string file = folder + "/signed";
    auto asked = [&]() -> Result<std::string> {
        TRY(write_file_atomically(file, bytes, 0600));
        TRY_ASSIGN(Child child,
                   Child::start({"ssh-keygen", "-Y", "sign", "-n", std::string(name_space), "-f", key_file, file}, 0));
        CommunicateLimits limits;
        limits.silence_s = limits.total_s = kAsk_s;
        TRY_ASSIGN(ProcessOutput output, communicate(child, limits, {}));
        if (output.exit_code != 0)
            return fail(Code::io,
                        fmt::format("ssh-keygen does not sign with '{}': {}", key_file,
                                    output.err.substr(0, output.err.find('\n'))),
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
    const std::string body = base64(blob);
    std::string out(kBegin);
    out += '\n';
    for (std::size_t at = 0; at < body.size(); at += 70) out += body.substr(at, 70) + "\n";
    return out + std::string(kEnd);
}

}  // namespace cultivar
