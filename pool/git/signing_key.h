// A clone's key. It signs as git and OpenSSH do (pool/git/sshsig.h), so that `git log --show-signature` and `ssh-keygen
// -Y verify` accept cultivar's signatures, and the other way round. The key is either the clone's own, in a file, or
// the user's SSH key, which signs through `ssh-keygen -Y sign` and the user's agent. Commits are signed in the
// namespace "git", changes of a pool's trust roots (pool/clone/trust_roots.h) in "cultivar-trust".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pool/git/repository.h"
#include "pool/git/sshsig.h"
#include "pool/util/result.h"

namespace cultivar {

class Key : public Signer {
public:
    // Reads the private key (PKCS#8 PEM) at `path`. Errors: not_found (there is no file), io (there is one that cannot
    // be read), corrupt.
    static Result<Key> load(const std::string& path);
    // Makes a key and writes it to `path`, mode 0600. Errors: io, also if a file is there already: a key is never
    // replaced.
    static Result<Key> create(const std::string& path);
    // load(), or create() where there is no file. For whatever makes a clone; nothing that opens one makes a key.
    static Result<Key> load_or_create(const std::string& path);
    // The user's SSH key: `path` is its public or its private file, "~/" the home folder. Signing goes through
    // ssh-keygen and the agent. Errors: not_found, io, corrupt (not an Ed25519 key).
    static Result<Key> of_user(const std::string& path);
    // A key that cannot sign here, for the reason `why`; `public_text` is "" where nothing is known of it.
    // Errors: corrupt (not a public key's text).
    static Result<Key> without_private(const std::string& public_text, Error why);

    std::string public_text() const;  // "ssh-ed25519 AAAA...", or ""
    std::string fingerprint() const;  // 64 hex digits: SHA-256 of the public key's wire form; or ""
    // Fails with the reason if it is known to be unable to sign.
    Result<void> can_sign() const;
    Result<std::string> sign(std::string_view bytes) const override { return sign_as(kCommits, bytes); }
    // Errors: those of can_sign(), io (for a user's key: ssh-keygen's message; hint: ssh-add).
    Result<std::string> sign_as(std::string_view name_space, std::string_view bytes) const;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace cultivar
