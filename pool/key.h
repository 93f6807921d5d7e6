// A clone's key and signatures as git and OpenSSH make them (PROTOCOL.sshsig, namespace "git", SHA-512, Ed25519), so
// that `git log --show-signature` and `ssh-keygen -Y verify` can check what cultivar signed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pool/git.h"
#include "pool/result.h"

namespace cultivar {

class Key : public Signer {
public:
    // Reads the private key (PKCS#8 PEM, mode 0600) at `path`, or makes and writes one, atomically. Errors: io,
    // corrupt.
    static Result<Key> load_or_create(const std::string& path);

    std::string public_text() const;  // "ssh-ed25519 AAAA..."
    std::string fingerprint() const;  // 64 hex digits: SHA-256 of the public key's wire form
    Result<std::string> sign(std::string_view bytes) const override;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// The fingerprint of the key that made this armoured signature over `bytes`. Errors: corrupt (malformed, of another
// namespace or kind, or not a signature of these bytes).
Result<std::string> verify_signature(std::string_view armoured, std::string_view bytes);

// Whose key signed a commit: "" for an unsigned one. Errors: corrupt, git.
Result<std::string> signer_of(const Repo& repo, const Oid& commit);

struct AllowedSigner {
    std::string principal;
    std::string public_text;
    std::string fingerprint;
};

// OpenSSH's allowed_signers; lines of other key kinds or without the namespace "git" are skipped. Errors: corrupt, for
// certificate authorities and validity times too, which nothing here honours.
Result<std::vector<AllowedSigner>> parse_allowed_signers(std::string_view text);

}  // namespace cultivar
