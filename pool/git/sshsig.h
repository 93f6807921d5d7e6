// Signatures as git and OpenSSH make them (PROTOCOL.sshsig, SHA-512 or SHA-256, Ed25519).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pool/git/repository.h"
#include "pool/util/result.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace cultivar {

inline constexpr std::string_view kCommits = "git", kRoots = "cultivar-trust";  // namespaces of signatures

// The fingerprint of the key that made this armoured signature over `bytes`. Errors: corrupt (malformed, of another
// namespace or kind, or not a signature of these bytes).
Result<std::string> verify_signature(std::string_view armoured, std::string_view bytes,
                                     std::string_view name_space = kCommits);

// The fingerprint of the key that signed a commit; "" if it is unsigned. Errors: corrupt, git.
Result<std::string> signer_of(const Repo& repo, const Oid& commit);

// The parts of a signature, for pool/git alone.
namespace sshsig {

inline constexpr std::string_view kKind = "ssh-ed25519";
inline constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";
inline constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----";

using PKey = std::unique_ptr<evp_pkey_st, void (*)(evp_pkey_st*)>;

// A length-prefixed string, as the protocol has it.
std::string wire(std::string_view text);
std::string base64(std::string_view bytes);
// Errors: corrupt, for more than 8 KiB too.
Result<std::string> unbase64(std::string text);
// The bytes that the key signs for `bytes`. `hash`: "sha512" or "sha256".
std::string signed_form(std::string_view name_space, std::string_view hash, std::string_view bytes);
// An Ed25519 public key in wire form; its SHA-256 is the key's fingerprint.
std::string public_wire(evp_pkey_st* key);

}  // namespace sshsig
}  // namespace cultivar
