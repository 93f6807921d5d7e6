// OpenSSH's allowed_signers: who may sign in a pool, and when.
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
