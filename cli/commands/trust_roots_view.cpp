#include "cli/commands/trust_roots_view.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pool/git/allowed_signers.h"
#include "pool/storage/segment_log.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr std::size_t kShortestDigest = 8;

struct Role {
    std::string principal;
    bool judges = false, holds = false;
    std::optional<std::int64_t> after_s, before_s;
};

std::map<std::string, Role> roles_of(const Root& root) {
    std::map<std::string, Role> roles;
    for (const AllowedSigner& one : root.verifiers) {
        Role& role = roles[one.fingerprint];
        role = {one.principal, true, role.holds, one.valid_after_s, one.valid_before_s};
    }
    for (const AllowedSigner& one : root.holders) {
        Role& role = roles[one.fingerprint];
        if (role.principal.empty()) role.principal = one.principal;
        role.holds = true;
    }
    return roles;
}

std::string role_text(const std::string& key, const Role& role) {
    std::string text = fmt::format("{}  {:.16}  {}", clean(role.principal, 48), key,
                                   role.judges && role.holds ? "judges, holds a root"
                                   : role.judges             ? "judges"
                                                             : "holds a root");
    if (role.after_s) text += " from " + utc_text(*role.after_s);
    if (role.before_s) text += " until " + utc_text(*role.before_s);
    return text;
}

Json roles_json(const Root& root) {
    Json keys = Json::array();
    for (const auto& [key, role] : roles_of(root))
        keys.push_back({{"key", key},
                        {"principal", role.principal},
                        {"judges", role.judges},
                        {"holds_root", role.holds},
                        {"valid_after", role.after_s ? Json(utc_text(*role.after_s)) : Json(nullptr)},
                        {"valid_before", role.before_s ? Json(utc_text(*role.before_s)) : Json(nullptr)}});
    return keys;
}

// The changes of the version that waits.
std::string change_text(const Roots& roots) {
    const Root& next = *roots.waiting;
    std::string text = fmt::format("waits    version {}, threshold {}, {:.8}: {} of {} signatures\n", next.version,
                                   next.threshold, next.digest, next.signed_by.size(), roots.needed);
    const auto now = roles_of(roots.now), then = roles_of(next);
    auto missing = [&](const auto& from, const auto& in, char sign) {
        for (const auto& [key, role] : from) {
            auto found = in.find(key);
            if (found == in.end() || role_text(key, found->second) != role_text(key, role))
                text += fmt::format("       {} {}\n", sign, role_text(key, role));
        }
    };
    missing(now, then, '-');
    missing(then, now, '+');
    return text + fmt::format("         cultivar trust --sign {:.8}\n", next.digest);
}

Result<void> commit(Context& context, Clone& clone, const MainFiles& files, int version) {
    TRY(clone.commit_main(files, fmt::format("Trust root {}", version)));
    TRY_ASSIGN(const Roots roots, trusted_roots(clone));
    if (roots.now.version == version)
        context.ui.note(fmt::format("trust root {} is in force: 'cultivar propose' shares it", version));
    else
        context.ui.note(
            fmt::format("trust root {} waits for {} more of the keys that hold the roots: 'cultivar propose' "
                        "shares it",
                        version, roots.needed - static_cast<int>(roots.waiting->signed_by.size())));
    return {};
}

}  // namespace

Result<std::vector<LedgerState>> ledger_states(const Clone& clone) {
    std::map<std::string, LedgerState> states;
    for (const std::string& folder :
         {fmt::format("refs/remotes/{}/ledger/", kRemote), std::string("refs/heads/ledger/")}) {
        TRY_ASSIGN(std::vector<Ref> refs, clone.repo.refs(folder));
        for (const Ref& ref : refs) {
            const std::string writer = ref.name.substr(folder.size());
            auto count = log_size(clone.repo, ref.oid);
            auto tip = clone.repo.read_commit(ref.oid);
            if (count && tip) states[writer] = {writer, *count, tip->author.unix_s};
        }
    }
    std::vector<LedgerState> rows;
    for (auto& [writer, state] : states) rows.push_back(std::move(state));
    return rows;
}

Json roots_json(const Roots& roots, const std::vector<LedgerState>& ledgers) {
    Json json = {{"version", roots.now.version},
                 {"threshold", roots.now.version > 0 ? Json(roots.now.threshold) : Json(nullptr)},
                 {"digest", roots.now.digest},
                 {"keys", roles_json(roots.now)},
                 {"waiting", nullptr},
                 {"ledgers", Json::array()}};
    if (const auto& next = roots.waiting)
        json["waiting"] = {{"version", next->version}, {"threshold", next->threshold},
                           {"digest", next->digest},   {"signatures", next->signed_by.size()},
                           {"needed", roots.needed},   {"keys", roles_json(*next)}};
    for (const LedgerState& ledger : ledgers)
        json["ledgers"].push_back(
            {{"writer", ledger.writer}, {"verdicts", ledger.verdicts}, {"newest", utc_text(ledger.newest_s)}});
    return json;
}

std::string roots_text(const Roots& roots, const std::vector<LedgerState>& ledgers, std::int64_t now_s) {
    std::string text =
        roots.now.version == 0
            ? std::string("roots    none: everyone who may push main names the verifiers\n")
            : fmt::format("roots    version {}, changed by any {} of the {} keys that hold them, {:.8}\n",
                          roots.now.version, roots.now.threshold, roots.now.holders.size(), roots.now.digest);
    for (const auto& [key, role] : roles_of(roots.now)) text += fmt::format("key      {}\n", role_text(key, role));
    if (roots.waiting) text += change_text(roots);
    for (const LedgerState& ledger : ledgers)
        text += fmt::format("ledger   {}  {} verdict{}, the newest {} old\n", clean(ledger.writer, 48), ledger.verdicts,
                            ledger.verdicts == 1 ? "" : "s",
                            duration_text(static_cast<double>(std::max<std::int64_t>(now_s - ledger.newest_s, 0))));
    return text;
}

Result<void> propose_roots(Context& context, Clone& clone, const std::string& file,
                           std::optional<std::int64_t> threshold) {
    TRY_ASSIGN(const Roots roots, trusted_roots(clone));
    TRY_ASSIGN(const std::string signers, read_file(file, 1 << 20));
    const std::int64_t wanted = threshold.value_or(std::max(roots.now.threshold, 1));
    if (wanted < 1 || wanted > 1000)
        return fail(Code::usage, "--threshold takes a number of keys from 1", "cultivar trust --help");
    TRY_ASSIGN(const MainFiles files, change_roots(clone, roots, signers, static_cast<int>(wanted)));
    return commit(context, clone, files, roots.now.version + 1);
}

Result<void> cosign_roots(Context& context, Clone& clone, const std::string& digest) {
    TRY_ASSIGN(const Roots roots, trusted_roots(clone));
    if (roots.waiting && (digest.size() < kShortestDigest || !roots.waiting->digest.starts_with(digest)))
        return fail(Code::usage, fmt::format("'{}' is not the digest of the change that waits", clean(digest, 64)),
                    "cultivar trust --show");
    TRY_ASSIGN(const MainFiles files, sign_roots(clone, roots));
    return commit(context, clone, files, roots.now.version + 1);
}

}  // namespace cultivar
