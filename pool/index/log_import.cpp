#include "pool/index/log_import.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pool/clone/trust_roots.h"
#include "pool/git/allowed_signers.h"
#include "pool/git/sshsig.h"
#include "pool/index/derived_tables.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {

namespace {

constexpr std::int64_t kAheadBytes = 8 << 20;    // of one log; LogsAhead keeps some
constexpr std::size_t kMostWhy = 300;            // bytes; reasons quote the log
constexpr std::int64_t kAtOnceBytes = 64 << 20;  // of one log in memory

}  // namespace

Result<void> LogImport::prepare() {
    TRY(records_.prepare());
    TRY_ASSIGN(Statement logs, database_.sql().prepare("SELECT ref, tip, records, rubbish, unreadable, later, "
                                                       "other_task, runs, failures, leases, claims, retirements, "
                                                       "passed_over, refused_tip FROM log"));
    TRY(logs.each([&](Row& row) {
        const std::string ref = row.text();
        Oid tip = row.text();
        indexed_[ref] = {std::move(tip), static_cast<std::size_t>(row.whole())};
        LogTally& tally = tallies_[ref];
        for (int LogTally::*count : {&LogTally::rubbish, &LogTally::unreadable, &LogTally::later, &LogTally::other_task,
                                     &LogTally::runs, &LogTally::failures, &LogTally::leases, &LogTally::claims,
                                     &LogTally::retirements, &LogTally::passed_over})
            tally.*count = row.count();
        if (auto refused = row.text_if()) refused_[ref] = std::move(*refused);
    }));
    saved_ = tallies_;
    TRY_ASSIGN(set_tip_, database_.sql().prepare(
                             "INSERT INTO log(ref, tip, records) VALUES(:ref, :tip, :records) ON CONFLICT(ref) DO "
                             "UPDATE SET tip = :tip, records = :records, refused_tip = NULL, refused = NULL"));
    TRY_ASSIGN(set_refused_, database_.sql().prepare(
                                 "INSERT INTO log(ref, refused_tip, refused) VALUES(:ref, :tip, :why) ON CONFLICT(ref) "
                                 "DO UPDATE SET refused_tip = :tip, refused = :why"));
    TRY_ASSIGN(set_tally_,
               database_.sql().prepare("UPDATE log SET rubbish = :rubbish, unreadable = :unreadable, later "
                                       "= :later, other_task = :other_task, runs = :runs, failures = :failures, "
                                       "leases = :leases, claims = :claims, retirements = :retirements, passed_over = "
                                       ":passed_over WHERE ref = :ref"));
    TRY_ASSIGN(tips_, read_last_seen_tips(database_.clone()));
    TRY_ASSIGN(first_seen_, FirstSeen::read(database_.clone()));
    last_pull_s_ = first_seen_.last_pull_s();
    TRY_ASSIGN(secret_, order_secret(database_.clone()));
    TRY_ASSIGN(Statement keys, database_.sql().prepare("SELECT name, key FROM writer WHERE key <> ''"));
    TRY(keys.each([&](Row& row) {
        std::string& key = keys_[row.text()];
        key = row.text();
    }));
    keys_[database_.clone().writer] = database_.clone().key.fingerprint();
    free_keys_.insert(database_.clone().key.fingerprint());
    if (auto roots = trusted_roots(database_.clone())) {
        for (const AllowedSigner& verifier : roots->now.verifiers) free_keys_.insert(verifier.fingerprint);
    }
    return {};
}

Result<void> LogImport::flush() {
    TRY(records_.flush());
    return save_tallies();
}

Result<void> LogImport::save_tips() {
    TRY(flush());
    if (!moved_) return {};
    TRY(write_last_seen_tips(database_.clone(), tips_));
    return first_seen_.write(database_.clone());
}

Result<void> LogImport::save_tallies() {
    for (const auto& [ref, tally] : tallies_) {
        LogTally& before = saved_[ref];
        if (tally == before) continue;
        if (tally.is_full() && !before.is_full())
            report_.refuse(ref, fmt::format("holds {} records that are rubbish: it is read no further", tally.rubbish));
        if (tally.passed_over > 0 && before.passed_over == 0)
            report_.refuse(ref,
                           fmt::format("holds more records of a kind than are taken of one writer: {} are passed over",
                                       tally.passed_over));
        before = tally;
        set_tally_.bind(":ref", ref).bind(":rubbish", tally.rubbish).bind(":unreadable", tally.unreadable);
        set_tally_.bind(":later", tally.later).bind(":other_task", tally.other_task);
        set_tally_.bind(":runs", tally.runs).bind(":failures", tally.failures).bind(":leases", tally.leases);
        set_tally_.bind(":claims", tally.claims).bind(":retirements", tally.retirements);
        TRY(set_tally_.bind(":passed_over", tally.passed_over).run());
    }
    return {};
}

Result<void> LogImport::forget_ledgers() {
    auto is_ledger = [](const auto& log) { return log.first.find("/ledger/") != std::string::npos; };
    std::erase_if(indexed_, is_ledger);
    std::erase_if(refused_, is_ledger);
    std::erase_if(tallies_, is_ledger);
    std::erase_if(saved_, is_ledger);
    return database_.sql().execute("DELETE FROM log WHERE ref LIKE '%/ledger/%'");
}

LogPosition LogImport::indexed_tip(const std::string& ref) const {
    const auto found = indexed_.find(ref);
    return found == indexed_.end() ? LogPosition() : found->second;
}

Result<void> LogImport::follow(const std::string& ref, const LogPosition& tip) {
    tips_[ref] = indexed_[ref] = tip;
    first_seen_.note(ref, tip.records, now_s_);
    refused_.erase(ref);
    moved_ = true;
    return set_tip_.bind(":ref", ref).bind(":tip", tip.oid).bind(":records", tip.records).run();
}

bool LogImport::was_refused(const Log& log) const {
    const auto found = refused_.find(log.ref);
    return found != refused_.end() && found->second == log.tip;
}

Result<void> LogImport::refuse(const Log& log, const Error& why) {
    report_.refuse(log.ref, why.message);
    if (why.code != Code::corrupt && why.code != Code::newer && why.code != Code::usage) return {};
    refused_[log.ref] = log.tip;
    return set_refused_.bind(":ref", log.ref).bind(":tip", log.tip).bind(":why", cut(why.message, kMostWhy)).run();
}

// Nothing is lost, and a repaired remote can be followed again.
void LogImport::put_back(const Log& log, const Oid& good) {
    if (good.empty() || good == log.tip || !log.ref.starts_with("refs/remotes/")) return;
    auto moved = database_.clone().repo.set_ref(log.ref, good, log.tip);
    if (!moved) report_.refuse(log.ref, moved.error().message);
}

// Of records that came by one pull, those of the least turn were first: those of this clone, those of verifiers, and the
// others in an order that nobody else can foresee, so that no name or key makes its writer the first.
std::int64_t LogImport::turn_of(const std::string& key) const {
    constexpr std::int64_t kOwn = 0, kVerifiers = 1, kFirstDrawn = 2;
    if (key == database_.clone().key.fingerprint()) return kOwn;
    if (free_keys_.contains(key)) return kVerifiers;
    return kFirstDrawn + std::stoll(sha256_hex(secret_ + key).substr(0, 7), nullptr, 16);
}

Result<void> LogImport::read_ahead(const std::vector<Log>& logs) {
    const Repo& repo = database_.clone().repo;
    struct Size {
        std::int64_t bytes = 0;
        const Log* log = nullptr;
    };
    std::vector<Size> sizes;
    for (const Log& log : logs) {
        const LogPosition now = indexed_tip(log.ref);
        if (now.oid == log.tip || was_refused(log) || tallies_[log.ref].is_full()) continue;
        const auto open = OpenLog::open(repo, log.tip, now.records);  // take() reports the reason
        if (open) sizes.push_back({open->bytes_from(now.records), &log});
    }
    std::ranges::stable_sort(sizes, {}, &Size::bytes);
    std::set<const Log*> small;
    std::int64_t left = kMostUnreadBytes;
    for (const auto& [bytes, log] : sizes) {
        left -= bytes;
        if (left < 0) waiting_.insert(log->ref);
        if (left >= 0 && bytes <= kAheadBytes) small.insert(log);
    }
    if (small.size() < kWorthAThread) return {};
    std::vector<LogsAhead::Wanted> wanted;
    for (const Log& log : logs) {
        if (small.contains(&log)) wanted.push_back({log.tip, indexed_tip(log.ref).records});
    }
    ahead_.emplace(database_.clone().repo.git_dir(), std::move(wanted));
    return {};
}

// Reads a large log twice, once to see that all of it is well-formed.
Result<LogImport::Unread> LogImport::unread(const Log& log, const Oid& tip, std::size_t have) {
    auto ahead = ahead_ ? ahead_->take(tip, have) : std::nullopt;
    if (ahead) {
        TRY_ASSIGN(std::vector<LogSegment> segments, std::move(*ahead));
        return Unread{std::nullopt, std::move(segments)};
    }
    TRY_ASSIGN(OpenLog open, OpenLog::open(database_.clone().repo, tip, have));
    const std::int64_t bytes = open.bytes_from(have);
    const bool waits = log.carried ? bytes > carried_bytes_ : waiting_.contains(log.ref);
    left_aside_ += waits;
    if (waits) return fail(Code::busy, fmt::format("waits: {} bytes are too much to read beside all others", bytes));
    if (log.carried) carried_bytes_ -= bytes;
    Unread unread;
    const bool few = bytes <= kAtOnceBytes;
    TRY(open.each(have, [&](LogSegment segment) -> Result<bool> {
        if (few) unread.segments.push_back(std::move(segment));
        return true;
    }));
    if (!few) unread.log = std::move(open);
    return unread;
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
        // What was not there by the last pull has come since: an expired key must not date its verdicts back.
        const bool came = log.ref.starts_with("refs/remotes/") && seen.oid != log.tip;
        const std::string why = why_not_allowed(roots->now.verifiers, key, tip.author.unix_s, came ? last_pull_s_ : 0);
        if (!why.empty()) return fail(Code::corrupt, why);
    }
    // Eight digits of a key can be met by trying; all of it cannot.
    const std::string& of_writer = keys_.emplace(log.writer, key).first->second;
    if (of_writer != key) return fail(Code::corrupt, "is signed by another key than its writer's other records");
    if (seen.oid.empty() || seen.oid == log.tip) return key;
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
    TRY(with_writer("UPDATE writer SET made_runs = 0, named_runs = 0 WHERE name = :writer"));
    records_.forget_writer(log.writer);
    TRY(database_.set("spool", ""));  // its records are gone too
    tallies_[log.ref] = {};
    return recount_totals(database_);
}

Result<void> LogImport::take(const Log& log) {
    const LogPosition indexed = indexed_tip(log.ref);
    if (indexed.oid == log.tip) return {};
    std::size_t have = indexed.records;
    Repo& repo = database_.clone().repo;
    LogPosition seen = tips_[log.ref];
    if (!seen.oid.empty() && !repo.has_object(seen.oid)) seen = {};
    if (was_refused(log)) return put_back(log, seen.oid), Result<void>();
    if (!is_writer(log.writer)) return refuse(log, {Code::corrupt, "is not a writer's name", "", {}});
    if (log.ref.starts_with("refs/heads/") && !seen.oid.empty() &&
        !check_extends(repo, seen.oid, seen.records, log.tip)) {
        TRY(forget_own(log));
        seen = {};
        have = 0;
    }
    auto key = check(log, seen);
    if (key && tallies_[log.ref].is_full()) return follow(log.ref, {log.tip, have});
    auto news = key ? unread(log, log.tip, have) : fail(key.error());
    if (news) return take_records(log, log.tip, *key, std::move(*news), have);
    put_back(log, seen.oid);
    const bool older = !seen.oid.empty() && seen.oid != log.tip && seen.oid != indexed.oid;
    if (older && log.ref.starts_with("refs/remotes/")) {
        auto rest = unread(log, seen.oid, have);
        const auto signer = signer_of(repo, seen.oid);
        if (rest && signer) TRY(take_records(log, seen.oid, *signer, std::move(*rest), have));
    }
    return refuse(log, news.error());
}

Result<void> LogImport::take_records(const Log& log, const Oid& tip, const std::string& key, Unread news,
                                     std::size_t have) {
    const LogTally& tally = tallies_[log.ref];
    TRY(follow(log.ref, {tip, have}));  // its row is there before its tally
    auto take_one = [&](LogSegment segment) -> Result<bool> {
        const std::size_t from = have;
        have += segment.lines.size();
        TRY(take_segment(log, key, std::move(segment), from));
        TRY(records_.pass_on());
        return !tally.is_full();
    };
    for (LogSegment& segment : news.segments) TRY(take_one(std::move(segment)));
    if (news.log) TRY(news.log->each(have, take_one));
    return follow(log.ref, {tip, have});
}

// `from`: the number of its first line in the log.
Result<void> LogImport::take_segment(const Log& log, const std::string& key, LogSegment segment, std::size_t from) {
    LogTally& tally = tallies_[log.ref];
    const bool any_number = free_keys_.contains(key);
    const std::int64_t turn = turn_of(key);
    for (std::size_t i = 0; i < segment.lines.size(); ++i) {
        if (log.ledger)
            TRY(records_.take_verdict(segment.lines[i], log.writer, key, tally));
        else
            records_.add({std::move(segment.lines[i]), log.writer},
                         {segment.blob, segment.first + i, log.source, key, &tally,
                          first_seen_.seen_s(log.ref, from + i, now_s_), any_number, turn});
    }
    return {};
}

}  // namespace cultivar
