// OpenSSH's allowed_signers: the keys that may sign in a pool, and their validity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/git/sshsig.h"
#include "pool/util/result.h"

namespace cultivar {

struct AllowedSigner {
    std::string principal;
    std::string public_text;
    std::string fingerprint;
    std::optional<std::int64_t> valid_after_s{}, valid_before_s{};
};

// Parses OpenSSH's allowed_signers and returns the signers for this namespace. Skips lines of other key kinds. Validity
// times must name their zone (valid-before="20261231Z"), because they mean another time on every machine otherwise.
// Errors: corrupt, also for certificate authorities and unsupported options.
Result<std::vector<AllowedSigner>> parse_allowed_signers(std::string_view text, std::string_view name_space = kCommits);

// The reason why this key may not sign a log's commit of that time (not listed, not yet or no longer valid); "" if it
// may. The time is the commit's own, and its writer may choose it.
std::string why_not_allowed(const std::vector<AllowedSigner>& signers, const std::string& fingerprint,
                            std::int64_t unix_s);
// The same of a commit that is known to have come after `came_after_s`, whatever its own time says (0: nothing is known).
std::string why_not_allowed(const std::vector<AllowedSigner>& signers, const std::string& fingerprint,
                            std::int64_t unix_s, std::int64_t came_after_s);

}  // namespace cultivar
