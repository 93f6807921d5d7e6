// A clone's key and signatures as git and OpenSSH make them (PROTOCOL.sshsig, SHA-512 or SHA-256, Ed25519), so that
// `git log --show-signature` and `ssh-keygen -Y verify` can check what cultivar signed, and the other way round. The key
// is one of the clone's own, in a file, or the user's own SSH key, which `ssh-keygen -Y sign` and the user's agent hold.
// Commits are signed in the namespace "git", a change of a pool's trust roots (pool/clone/trust_roots.h) in "cultivar-trust".
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
    // Reads the private key (PKCS#8 PEM, mode 0600) at `path`, or makes and writes one, atomically. Errors: io,
    // corrupt.
    static Result<Key> load_or_create(const std::string& path);
    // The user's SSH key: `path` is its public or its private file, "~/" the home folder. Signing asks ssh-keygen, and that
    // the agent. Errors: not_found, corrupt (another kind than Ed25519).
    static Result<Key> of_user(const std::string& path);

    std::string public_text() const;  // "ssh-ed25519 AAAA..."
    std::string fingerprint() const;  // 64 hex digits: SHA-256 of the public key's wire form
    Result<std::string> sign(std::string_view bytes) const override { return sign_as(kCommits, bytes); }
    // Errors: io (of a user's key: what ssh-keygen says; hint: ssh-add).
    Result<std::string> sign_as(std::string_view name_space, std::string_view bytes) const;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace cultivar
