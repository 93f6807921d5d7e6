#include "pool/git/signing_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "pool/process/communicate.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

using namespace sshsig;

constexpr std::size_t kMaxKey_bytes = 16384;
constexpr double kAsk_s = 60;  // a key on a token may want a touch

std::string at_home(const std::string& path) {
    const char* home = std::getenv("HOME");
    return path.starts_with("~/") && home ? home + path.substr(1) : path;
}

// Signs with `ssh-keygen -Y sign`: with a key's file, or the agent's key of that public file.
Result<std::string> ask_ssh_keygen(const std::string& key_file, std::string_view name_space, std::string_view bytes) {
    std::error_code ec;
    std::string folder = std::filesystem::temp_directory_path(ec) / "cultivar-sign-XXXXXX";
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
                        "ssh-add " + shell_word(key_file));
        return read_file(file + ".sig", 8192);
    }();
    std::filesystem::remove_all(folder, ec);
    if (!asked) return asked;
    while (!asked->empty() && asked->back() == '\n') asked->pop_back();
    return asked;
}

}  // namespace

struct Key::Impl {
    PKey key{nullptr, EVP_PKEY_free};
    std::string public_blob;   // wire form; "": unknown
    std::string user_file;     // of a user's key
    std::optional<Error> why;  // it cannot sign
};

namespace {

Result<std::string> blob_of(const std::string& public_text, const std::string& where) {
    std::istringstream words(public_text);
    std::string kind, body;
    words >> kind >> body;
    if (kind != kKind) return fail(Code::corrupt, fmt::format("'{}' is not an Ed25519 key", where));
    return unbase64(body);
}

// Writes a file that was not there. A failure leaves nothing of it.
Result<void> write_new_file(const std::string& path, std::string_view bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return fail(Code::io, fmt::format("cannot make '{}': {}", path, std::strerror(errno)));
    const bool good =
        ::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && ::fsync(file) == 0;
    const int saved = errno;
    ::close(file);
    if (good) return {};
    ::unlink(path.c_str());
    return fail(Code::io, fmt::format("cannot write '{}': {}", path, std::strerror(saved)));
}

}  // namespace

Result<Key> Key::load(const std::string& path) {
    auto pem = read_file(path, kMaxKey_bytes);
    if (!pem) return fail(pem.error());
    Key key;
    key.impl_ = std::make_shared<Impl>();
    std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())), &BIO_free);
    key.impl_->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    if (!key.impl_->key || EVP_PKEY_get_base_id(key.impl_->key.get()) != EVP_PKEY_ED25519)
        return fail(Code::corrupt, fmt::format("'{}' is not an Ed25519 private key", path));
    key.impl_->public_blob = public_wire(key.impl_->key.get());
    return key;
}

Result<Key> Key::create(const std::string& path) {
    Key key;
    key.impl_ = std::make_shared<Impl>();
    key.impl_->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    if (!key.impl_->key) return fail(Code::io, "cannot make a key");
    std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PrivateKey(bio.get(), key.impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &data));
    TRY(write_new_file(path, {data, size}));
    key.impl_->public_blob = public_wire(key.impl_->key.get());
    return key;
}

Result<Key> Key::load_or_create(const std::string& path) {
    auto key = load(path);
    return key || key.error().code != Code::not_found ? key : create(path);
}

Result<Key> Key::of_user(const std::string& path) {
    Key key;
    key.impl_ = std::make_shared<Impl>();
    key.impl_->user_file = at_home(path);
    const std::string& file = key.impl_->user_file;
    auto text = read_file(file.ends_with(".pub") ? file : file + ".pub", kMaxKey_bytes);
    if (!text && text.error().code == Code::not_found)
        return fail(Code::not_found, fmt::format("cannot find the public SSH key of '{}'", path),
                    "git config --get cultivar.signingKey");
    if (!text) return fail(text.error());
    auto blob = blob_of(*text, path);
    if (!blob) return fail(blob.error().code, blob.error().message, "ssh-keygen -t ed25519");
    key.impl_->public_blob = std::move(*blob);
    return key;
}

Result<Key> Key::without_private(const std::string& public_text, Error why) {
    Key key;
    key.impl_ = std::make_shared<Impl>();
    key.impl_->why = std::move(why);
    if (!public_text.empty()) {
        TRY_ASSIGN(key.impl_->public_blob, blob_of(public_text, "public key"));
    }
    return key;
}

std::string Key::public_text() const {
    return impl_->public_blob.empty() ? "" : fmt::format("{} {}", kKind, base64(impl_->public_blob));
}

std::string Key::fingerprint() const { return impl_->public_blob.empty() ? "" : sha256_hex(impl_->public_blob); }

Result<void> Key::can_sign() const {
    if (impl_->why) return fail(*impl_->why);
    return {};
}

Result<std::string> Key::sign_as(std::string_view name_space, std::string_view bytes) const {
    TRY(can_sign());
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
