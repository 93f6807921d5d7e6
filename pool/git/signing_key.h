// A clone's key and signatures as git and OpenSSH make them (PROTOCOL.sshsig, SHA-512 or SHA-256, Ed25519), so that
// `git log --show-signature` and `ssh-keygen -Y verify` can check what cultivar signed, and the other way round. The key
// is one of the clone's own, in a file, or the user's own SSH key, which `ssh-keygen -Y sign` and the user's agent hold.
// Commits are signed in the namespace "git", a change of a pool's trust roots (pool/clone/trust_roots.h) in "cultivar-trust".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/git/repository.h"
#include "pool/util/result.h"

namespace cultivar {

inline constexpr std::string_view kCommits = "git", kRoots = "cultivar-trust";  // namespaces of signatures

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

// The fingerprint of the key that made this armoured signature over `bytes`. Errors: corrupt (malformed, of another
// namespace or kind, or not a signature of these bytes).
Result<std::string> verify_signature(std::string_view armoured, std::string_view bytes,
                                     std::string_view name_space = kCommits);

// Whose key signed a commit: "" for an unsigned one. Errors: corrupt, git.
Result<std::string> signer_of(const Repo& repo, const Oid& commit);

struct AllowedSigner {
    std::string principal;
    std::string public_text;
    std::string fingerprint;
    std::optional<std::int64_t> valid_after_s{}, valid_before_s{};
};

// OpenSSH's allowed_signers: those that may sign in this namespace. Lines of other key kinds are skipped; validity times
// are honoured where they name their zone (valid-before="20261231Z"), as they mean another time on every machine where
// they do not. Errors: corrupt, for certificate authorities and options that nothing here honours, too.
Result<std::vector<AllowedSigner>> parse_allowed_signers(std::string_view text, std::string_view name_space = kCommits);

// Why this key may not have signed a log's commit of that time: it is not among them, not yet or no more; "" if it may.
// As git does, the time is the one that the commit gives: what an expired key signs with an old date looks old. A key
// that is lost is taken off the list.
std::string why_not_allowed(const std::vector<AllowedSigner>& signers, const std::string& fingerprint,
                            std::int64_t unix_s);

}  // namespace cultivar
