#include "pool/git/allowed_signers.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include <fmt/format.h>

#include "pool/util/sha256.h"
#include "pool/util/utc_time.h"

namespace cultivar {
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

// May the key sign in this namespace? Unknown options are refused, because they may narrow or widen a line's trust.
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
        if (kind != sshsig::kKind || !allowed) continue;
        TRY_ASSIGN(std::string blob, sshsig::unbase64(body));
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

std::string why_not_allowed(const std::vector<AllowedSigner>& signers, const std::string& fingerprint,
                            std::int64_t unix_s, std::int64_t came_after_s) {
    std::string why = why_not_allowed(signers, fingerprint, unix_s);
    if (!why.empty() || came_after_s <= unix_s) return why;
    why = why_not_allowed(signers, fingerprint, came_after_s);
    return why.empty() ? why : why + ", and came later, whatever time it names";
}

}  // namespace cultivar
