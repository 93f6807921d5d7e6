#include "pool/index/log_import.h"

#include <array>

#include <fmt/format.h>

#include "pool/clone/trust_roots.h"
#include "pool/git/allowed_signers.h"
#include "pool/git/sshsig.h"
#include "pool/index/derived_tables.h"

namespace cultivar {

Result<void> LogImport::prepare() {
    TRY(records_.prepare());
    TRY_ASSIGN(Statement logs, database_.sql().prepare("SELECT ref, tip, records FROM log"));
    TRY(logs.each([&](Row& row) {
        LogPosition& tip = indexed_[row.text()];
        tip = {row.text(), static_cast<std::size_t>(row.whole())};
    }));
    TRY_ASSIGN(set_tip_, database_.sql().prepare("INSERT OR REPLACE INTO log VALUES(:ref, :tip, :records)"));
    TRY_ASSIGN(tips_, read_last_seen_tips(database_.clone()));
    return {};
}

Result<void> LogImport::save_tips() { return moved_ ? write_last_seen_tips(database_.clone(), tips_) : Result<void>(); }

Result<void> LogImport::forget_ledgers() {
    std::erase_if(indexed_, [](const auto& log) { return log.first.find("/ledger/") != std::string::npos; });
    return database_.sql().execute("DELETE FROM log WHERE ref LIKE '%/ledger/%'");
}

LogPosition LogImport::indexed_tip(const std::string& ref) const {
    const auto found = indexed_.find(ref);
    return found == indexed_.end() ? LogPosition() : found->second;
}

Result<void> LogImport::follow(const std::string& ref, const LogPosition& tip) {
    tips_[ref] = indexed_[ref] = tip;
    moved_ = true;
    return set_tip_.bind(":ref", ref).bind(":tip", tip.oid).bind(":records", tip.records).run();
}

Result<void> LogImport::read_ahead(const std::vector<Log>& logs) {
    std::vector<LogsAhead::Wanted> wanted;
    for (const Log& log : logs) {
        const LogPosition now = indexed_tip(log.ref);
        if (now.oid != log.tip) wanted.push_back({log.tip, now.records});
    }
    if (wanted.size() >= kWorthAThread) ahead_.emplace(database_.clone().repo.git_dir(), std::move(wanted));
    return {};
}

Result<std::vector<LogSegment>> LogImport::segments_of(const Oid& tip, std::size_t have) {
    auto read = ahead_ ? ahead_->take(tip, have) : std::nullopt;
    return read ? std::move(*read) : read_segments(database_.clone().repo, tip, have);
}

// The fingerprint of the key that signed a log, if the log may be followed from where it was last seen. Errors: corrupt,
// with the reason; newer.
Result<std::string> LogImport::check(const Log& log, const LogPosition& seen) {
    const Repo& repo = database_.clone().repo;
    auto roots = log.ledger ? trusted_roots(database_.clone()) : Roots();
    if (!roots) return fail(roots.error());
    TRY_ASSIGN(std::string key, signer_of(repo, log.tip));
    if (key.substr(0, 8) != key_digits(log.writer))
        return fail(Code::corrupt,
                    key.empty() ? "is not signed by its writer" : "is signed by another key than its name says");
    if (log.ledger) {
        TRY_ASSIGN(Commit tip, repo.read_commit(log.tip));
        if (std::string why = why_not_allowed(roots->now.verifiers, key, tip.author.unix_s); !why.empty())
            return fail(Code::corrupt, std::move(why));
    }
    if (seen.oid.empty() || seen.oid == log.tip) return key;
    // Eight digits of a key can be met by trying; all of it cannot.
    TRY_ASSIGN(std::string before, signer_of(repo, seen.oid));
    if (before != key) return fail(Code::corrupt, "is signed by another key than it was when it was last seen");
    auto extends = check_extends(repo, seen.oid, seen.records, log.tip);
    if (!extends && extends.error().code == Code::newer) return fail(extends.error());
    if (!extends) return fail(Code::corrupt, extends.error().message + " since it was last seen");
    return key;
}

// This clone's own log was written anew (pool/sync/journal_merge.h): the records that were read from it are deleted, and
// are not counted as new when they are read again.
Result<void> LogImport::forget_own(const Log& log) {
    if (log.ledger) return {};  // verdicts are read again as they were
    auto with_writer = [&](const std::string& sql) -> Result<int> {
        TRY_ASSIGN(Statement statement, database_.sql().prepare(sql));
        TRY(statement.bind(":writer", log.writer).run());
        return static_cast<int>(database_.sql().changes());
    };
    TRY(
        with_writer("INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE writer = :writer AND "
                    "candidate IS NOT NULL"));
    TRY(with_writer("DELETE FROM claim_run WHERE claim IN (SELECT id FROM record WHERE writer = :writer)"));
    for (const auto& [type, count] : {std::pair{"run", &report_.runs},
                                      {"claim", &report_.claims},
                                      {"lease", &report_.leases},
                                      {"retirement", &report_.retirements}}) {
        TRY_ASSIGN(int gone, with_writer(fmt::format("DELETE FROM record WHERE writer = :writer AND type = '{}' AND "
                                                     "refused IS NULL",
                                                     type)));
        *count -= gone;
    }
    TRY(with_writer("DELETE FROM record WHERE writer = :writer"));
    return recount_totals(database_);
}

Result<void> LogImport::take(const Log& log) {
    const LogPosition indexed = indexed_tip(log.ref);
    if (indexed.oid == log.tip) return {};
    if (!is_writer(log.writer)) return report_.refused.push_back({log.ref, "is not a writer's name"}), Result<void>();
    std::size_t have = indexed.records;
    Repo& repo = database_.clone().repo;
    LogPosition seen = tips_[log.ref];
    if (!seen.oid.empty() && !repo.has_object(seen.oid)) seen = {};
    if (log.ref.starts_with("refs/heads/") && !seen.oid.empty() &&
        !check_extends(repo, seen.oid, seen.records, log.tip)) {
        TRY(forget_own(log));
        seen = {};
        have = 0;
    }
    Oid tip = log.tip;
    auto key = check(log, seen);
    auto read = key ? segments_of(tip, have) : fail(key.error());
    if (!read) {
        report_.refused.push_back({log.ref, read.error().message});
        if (seen.oid.empty() || seen.oid == tip || !log.ref.starts_with("refs/remotes/")) return {};
        // Nothing is lost, and a repaired remote can be followed again.
        TRY(repo.set_ref(log.ref, seen.oid, tip));
        tip = seen.oid;
        read = read_segments(repo, tip, have);
        if (!read) return {};
    }
    for (const LogSegment& part : *read) have += part.lines.size();
    TRY(take_segments(log, key.value_or(""), std::move(*read)));
    TRY(follow(log.ref, {tip, have}));
    return records_.pass_on();
}

Result<void> LogImport::take_segments(const Log& log, const std::string& key, std::vector<LogSegment> segments) {
    for (LogSegment& part : segments) {
        for (std::size_t i = 0; i < part.lines.size(); ++i) {
            if (log.ledger)
                TRY(records_.take_verdict(part.lines[i], log.writer));
            else
                records_.add({std::move(part.lines[i]), log.writer}, {part.blob, part.first + i, log.source, key});
        }
    }
    return {};
}

}  // namespace cultivar
