// What refs and spool say, into the index's tables: the only way in.
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <future>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "pool/batch.h"
#include "pool/bundle.h"
#include "pool/digest.h"
#include "pool/index.h"
#include "pool/journal.h"
#include "pool/read_ahead.h"
#include "pool/roots.h"
#include "pool/segment_log.h"
#include "pool/source.h"

namespace cultivar {
namespace {

constexpr std::size_t kMuch = 64;         // logs or commits that are worth a thread of their own
constexpr std::size_t kRunAfter = 8;      // records after a lease among which its run is looked for
constexpr std::size_t kBatchLines = 512;  // read, then checked on all cores, then written

struct Tip {
    Oid oid;
    std::size_t records = 0;
};

// <state>/seen/tips, before it was <state>/tips: "<oid> <records> <ref>", one a line.
Result<std::map<std::string, Tip>> read_tips(const Clone& clone) {
    std::map<std::string, Tip> tips;
    std::string path = clone.seen_dir() + "tips";
    auto text = read_file(path);
    if (!text && text.error().code == Code::not_found) {
        path = clone.state_dir + "tips";
        text = read_file(path);
    }
    if (!text && text.error().code != Code::not_found) return fail(text.error());
    std::istringstream lines(text ? *text : "");
    for (std::string line, ref; std::getline(lines, line);) {
        if (line.starts_with(' ')) continue;  // as once written of a log of which nothing was good
        std::istringstream words(line);
        Tip tip;
        if (!(words >> tip.oid >> tip.records >> ref) || !is_hex(tip.oid, 40))
            return fail(Code::newer,
                        fmt::format("'{}' is of a later format, which needs a newer cultivar, or damaged", path),
                        fmt::format("mv {0} {0}.old", path));
        tips[ref] = tip;
    }
    return tips;
}

Result<void> write_tips(const Clone& clone, const std::map<std::string, Tip>& tips) {
    std::string text;
    for (const auto& [ref, tip] : tips) {
        if (!tip.oid.empty()) text += fmt::format("{} {} {}\n", tip.oid, tip.records, ref);  // else none was good yet
    }
    std::error_code ec;
    std::filesystem::create_directories(clone.seen_dir(), ec);
    return write_file_atomically(clone.seen_dir() + "tips", text);
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

// "<before><what><rest>" -> rest, for the refs that this clone, its remote and its sources have.
std::optional<std::string> under(const std::string& ref, const std::string& what) {
    for (const std::string& before : {std::string("refs/heads/"), fmt::format("refs/remotes/{}/", kRemote),
                                      fmt::format("refs/sources/{}/", source_of_ref(ref))}) {
        if (ref.starts_with(before + what)) return ref.substr(before.size() + what.size());
    }
    return std::nullopt;
}

// Exactly: anybody may push an `archive-of-mine`.
bool is_archive(const std::string& ref) { return under(ref, "archive") == ""; }

}  // namespace

struct Index::Log {
    std::string ref, writer;
    Oid tip;
    bool ledger = false;
    std::string source;  // pool/source.h, or "archive"; "": this clone and its origin
};

// Lines on their way into the tables; the statements that take them are prepared once.
struct Index::Intake {
    Intake(Index& into, RefreshReport& telling) : index(into), report(telling) {}

    Index& index;
    RefreshReport& report;
    std::optional<LogsAhead> ahead{};
    std::vector<Carried> carried{};
    Statement put, refused_copy, forget, link, segment, known_segment, writer, dirty, find, candidate, get_tip, set_tip;

    struct Waiting {
        RawLine raw;
        Oid blob;  // "": from the spool
        std::size_t place = 0;
        std::string source;
        std::string key;  // fingerprint of the one that signed the log
    };
    struct Batch {
        std::vector<Waiting> lines{};
        std::future<std::vector<CheckedLine>> checked{};
    };
    std::vector<Waiting> waiting{};
    Batch checking{};
    std::map<std::string, Tip> tips{};  // as last seen, outside the index too
    bool moved = false;                 // did any tip?
    const std::int64_t met_s = std::time(nullptr);
    const std::string met_at = utc_text(met_s);  // a run of a clock that is ahead is no newer than this

    Result<void> prepare() {
        const std::pair<Statement*, const char*> statements[] = {
            {&put,
             "INSERT OR IGNORE INTO record(id, type, writer, candidate, category, at, status, decision, score, "
             "budget_s, "
             "wall_s, search_joules, operator, steps, parents, artifact, artifact_run, seen_s, segment, place, line, "
             "refused, parameters, flops, joules, source, reason, proposer, proposer_s, proposer_usd, "
             "tokens, train_s, replicate) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
            {&refused_copy, "SELECT 1 FROM record WHERE id = ? AND refused IS NOT NULL"},
            {&forget, "DELETE FROM record WHERE id = ?"},
            {&link, "INSERT OR IGNORE INTO claim_run VALUES(?, ?)"},
            {&segment, "INSERT OR IGNORE INTO segment(blob) VALUES(?)"},
            {&known_segment, "SELECT number FROM segment WHERE blob = ?"},
            {&writer, "INSERT OR IGNORE INTO writer(name, key) VALUES(?, ?)"},
            {&dirty, "INSERT OR IGNORE INTO dirty VALUES(?)"},
            {&find, "SELECT 1 FROM record WHERE id = ?"},
            {&candidate, "INSERT OR IGNORE INTO candidate(id, toml, parents) VALUES(?, ?, ?)"},
            {&get_tip, "SELECT tip, records FROM log WHERE ref = ?"},
            {&set_tip, "INSERT OR REPLACE INTO log VALUES(?, ?, ?)"},
        };
        for (const auto& [statement, sql] : statements) {
            TRY_ASSIGN(*statement, index.db_->prepare(sql));
        }
        return {};
    }

    // What waits is checked in the background; what was checked meanwhile enters the tables.
    Result<void> pass_on() {
        Batch next{std::move(waiting), {}};
        waiting.clear();
        next.checked = std::async(std::launch::async, [this, lines = lines_of(next.lines)] {
            return check_lines(index.clone_->task, index.clone_->task_id, lines);
        });
        std::swap(next, checking);
        return take_batch(next);
    }
    Result<void> flush() {
        TRY(pass_on());
        return pass_on();
    }

    static std::vector<RawLine> lines_of(const std::vector<Waiting>& from) {
        std::vector<RawLine> lines;
        lines.reserve(from.size());
        for (const Waiting& one : from) lines.push_back(one.raw);
        return lines;
    }

    Result<void> take_batch(Batch& batch) {
        if (!batch.checked.valid()) return {};
        auto checked = batch.checked.get();
        for (std::size_t i = 0; i < batch.lines.size(); ++i) {
            if (!is_over(batch, checked, i)) TRY(take(batch.lines[i].raw, checked[i], batch.lines[i]));
        }
        return {};
    }
    // A lease whose run follows, as that of nearly every run that is old: nobody asks for it again.
    static bool is_over(const Batch& batch, const std::vector<CheckedLine>& checked, std::size_t at) {
        const Lease* lease = checked[at].record ? std::get_if<Lease>(&*checked[at].record) : nullptr;
        if (!lease || !checked[at].refused.empty()) return false;
        for (std::size_t i = at + 1; i < std::min(at + 1 + kRunAfter, checked.size()); ++i) {
            const Run* run = checked[i].record ? std::get_if<Run>(&*checked[i].record) : nullptr;
            if (run && run->candidate == lease->candidate && run->replicate == lease->replicate &&
                batch.lines[i].raw.writer == lease->writer)
                return true;
        }
        return false;
    }

    Result<std::int64_t> segment_number(const Oid& blob) {
        if (blob == last_blob_) return last_number_;
        TRY(segment.bind(1, blob).run());
        TRY(known_segment.bind(1, blob).step());
        last_blob_ = blob;
        last_number_ = known_segment.whole(0);
        known_segment.reset();
        return last_number_;
    }

    void bind_run(const Run& run) {
        put.bind(2, "run")
            .bind(4, run.candidate)
            .bind(5, run.category)
            .bind(6, std::min(run.ended, met_at))
            .bind(7, name(run.status));
        put.bind(8, name(run.decision));
        if (auto score = run.status == RunStatus::stopped ? run.expected_bpb : run.val_bpb) put.bind(9, *score);
        put.bind(10, run.budget_s).bind(11, run.wall_s).bind(12, run.energy.joules).bind(13, run.operator_name);
        put.bind(14, run.steps).bind(15, joined(run.parents)).bind(16, run.artifact);
        if (run.status == RunStatus::unfit) put.bind(27, run.reason);
        const UseCost cost = use_cost(run);
        if (cost.parameters) put.bind(23, *cost.parameters);
        if (cost.forward_flops_per_token) put.bind(24, *cost.forward_flops_per_token);
        if (cost.joules_per_token) put.bind(25, *cost.joules_per_token);
        put.bind(31, run.tokens).bind(32, run.train_s).bind(33, std::int64_t{run.replicate});
        if (run.proposer.empty()) return;
        put.bind(28, run.proposer).bind(29, run.proposer_seconds).bind(30, run.proposer_usd.value_or(0));
    }
    void bind_claim(const Claim& claim) {
        put.bind(2, "claim").bind(4, claim.candidate).bind(5, claim.category).bind(6, claim.at).bind(9, claim.val_bpb);
        put.bind(15, joined(claim.parents)).bind(16, claim.artifact).bind(17, claim.artifact_run);
    }
    void bind_lease(const Lease& lease) {
        put.bind(2, "lease").bind(4, lease.candidate).bind(5, lease.category).bind(6, lease.at);
        put.bind(10, lease.budget_s).bind(33, std::int64_t{lease.replicate});
    }
    void bind_retirement(const Retirement& retirement, const std::string& key) {
        put.bind(2, "retirement").bind(4, retirement.candidate).bind(6, retirement.at);
        put.bind(7, retirement.retired ? "retired" : "back").bind(13, key).bind(27, retirement.reason);
    }

    Result<bool> insert(const std::string& id, bool counts) {
        TRY(put.run());
        if (index.db_->changes() > 0) return true;
        if (!counts) return false;
        // A copy in another's journal, met first and refused, does not stand in the owner's way.
        TRY_ASSIGN(bool refused, refused_copy.bind(1, id).step());
        refused_copy.reset();
        if (!refused) return false;
        TRY(forget.bind(1, id).run());
        TRY(put.run());
        TRY(index.count_again());
        return true;
    }

    Result<void> take(const RawLine& raw, const CheckedLine& line, const Waiting& from) {
        for (int i = 1; i <= 33; ++i) put.bind_null(i);
        put.bind(1, line.id).bind(2, "unreadable").bind(3, raw.writer).bind(18, met_s);
        if (from.blob.empty()) {
            put.bind(21, raw.text);
        } else {
            TRY_ASSIGN(std::int64_t number, segment_number(from.blob));
            put.bind(19, number).bind(20, static_cast<std::int64_t>(from.place));
        }
        if (!from.source.empty()) put.bind(26, from.source);
        const bool counts = line.refused.empty();
        if (!counts) put.bind(22, line.refused);
        const Run* run = line.record ? std::get_if<Run>(&*line.record) : nullptr;
        const Claim* claim = line.record ? std::get_if<Claim>(&*line.record) : nullptr;
        const Lease* lease = line.record ? std::get_if<Lease>(&*line.record) : nullptr;
        const Retirement* retirement = line.record ? std::get_if<Retirement>(&*line.record) : nullptr;
        if (run) bind_run(*run);
        if (claim) bind_claim(*claim);
        if (lease) bind_lease(*lease);
        if (retirement) bind_retirement(*retirement, from.key);
        TRY_ASSIGN(bool fresh, insert(line.id, counts));
        if (!fresh) return {};
        if (claim) {
            for (const std::string& one : claim->runs) TRY(link.bind(1, line.id).bind(2, one).run());
        }
        TRY(writer.bind(1, raw.writer).bind(2, from.key).run());
        report.contributors += static_cast<int>(index.db_->changes());
        if (!counts)
            report.refused.push_back(
                {fmt::format("a record of {} ({})", raw.writer, line.id.substr(0, 8)), line.refused});
        if (counts && lease) ++report.leases;
        if (counts && retirement) ++report.retirements;
        if (!run && !claim) return {};
        TRY(dirty.bind(1, run ? run->candidate : claim->candidate).run());
        if (!counts) return {};
        ++(run ? report.runs : report.claims);
        return run ? take_content(*run) : take_content(*claim);
    }

    Result<void> take_content(const auto& record) {
        candidate.bind(1, record.candidate).bind(2, record.toml).bind(3, joined(record.parents));
        TRY(candidate.run());
        report.candidates += static_cast<int>(index.db_->changes());
        return {};
    }

    Result<void> take_verdict(const std::string& line, const std::string& verifier) {
        auto verdict = parse_verdict(line);
        if (verdict && verdict->task != index.clone_->task_id) return {};
        if (!verdict || verdict->verifier != verifier) {
            std::string why =
                verdict ? fmt::format("names '{}' as its verifier", verdict->verifier) : verdict.error().message;
            report.refused.push_back({"a verdict of " + verifier, why});
            return {};
        }
        TRY_ASSIGN(Statement add, index.db_->prepare("INSERT OR IGNORE INTO verdict(id, claim, verifier, result, at, "
                                                     "seconds, joules, record, line) "
                                                     "VALUES(?,?,?,?,?,?,?,?,?)"));
        add.bind(1, record_id(line)).bind(2, verdict->claim).bind(3, verifier).bind(4, verdict->result);
        add.bind(5, verdict->at).bind(6, verdict->seconds).bind(7, verdict->joules);
        add.bind(8, std::int64_t{verdict->record && verdict->record->accepted}).bind(9, line);
        TRY(add.run());
        report.verdicts += static_cast<int>(index.db_->changes());
        return dirty.bind(1, verdict->candidate).run();
    }

    // May this log be followed from where it was last seen? The fingerprint of the key that signed it. Errors: corrupt,
    // with the reason.
    Result<std::string> check(const Log& log, const Tip& seen, const std::vector<AllowedSigner>& verifiers) {
        const Repo& repo = index.clone_->repo;
        TRY_ASSIGN(std::string key, signer_of(repo, log.tip));
        if (key.substr(0, 8) != key_digits(log.writer))
            return fail(Code::corrupt,
                        key.empty() ? "is not signed by its writer" : "is signed by another key than its name says");
        if (log.ledger) {
            TRY_ASSIGN(Commit tip, repo.read_commit(log.tip));
            if (std::string why = why_not_allowed(verifiers, key, tip.author.unix_s); !why.empty())
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

    // Where the index stands in a log.
    Result<Tip> known_tip(const std::string& ref) {
        TRY_ASSIGN(bool known, get_tip.bind(1, ref).step());
        Tip tip;
        if (known) tip = {get_tip.text(0), static_cast<std::size_t>(get_tip.whole(1))};
        get_tip.reset();
        return tip;
    }

    Result<void> follow(const std::string& ref, const Tip& tip) {
        tips[ref] = tip;
        moved = true;
        return set_tip.bind(1, ref).bind(2, tip.oid).bind(3, static_cast<std::int64_t>(tip.records)).run();
    }

    // Only where it is worth a thread.
    Result<void> read_ahead(const std::vector<Log>& logs) {
        std::vector<LogsAhead::Wanted> wanted;
        for (const Log& log : logs) {
            TRY_ASSIGN(Tip now, known_tip(log.ref));
            if (now.oid != log.tip) wanted.push_back({log.tip, now.records});
        }
        if (wanted.size() >= kMuch) ahead.emplace(index.clone_->repo.git_dir(), std::move(wanted));
        return {};
    }
    Result<std::vector<LogSegment>> segments_of(const Oid& tip, std::size_t have) {
        auto read = ahead ? ahead->take(tip, have) : std::nullopt;
        return read ? std::move(*read) : read_segments(index.clone_->repo, tip, have);
    }

    // This clone's own log was put together anew (pool/rejoin): what was read of it no longer holds.
    Result<void> forget_own(const Log& log) {
        if (log.ledger) return {};  // verdicts are read again as they were
        auto with_writer = [&](const std::string& sql) -> Result<int> {
            TRY_ASSIGN(Statement statement, index.db_->prepare(sql));
            TRY(statement.bind(1, log.writer).run());
            return static_cast<int>(index.db_->changes());
        };
        TRY(
            with_writer("INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE writer = ? AND candidate IS "
                        "NOT NULL"));
        TRY(with_writer("DELETE FROM claim_run WHERE claim IN (SELECT id FROM record WHERE writer = ?)"));
        for (const auto& [type, count] : {std::pair{"run", &report.runs},
                                          {"claim", &report.claims},
                                          {"lease", &report.leases},
                                          {"retirement", &report.retirements}}) {
            TRY_ASSIGN(int gone, with_writer(fmt::format("DELETE FROM record WHERE writer = ? AND type = '{}' AND "
                                                         "refused IS NULL",
                                                         type)));
            *count -= gone;  // what is met again is no news
        }
        TRY(with_writer("DELETE FROM record WHERE writer = ?"));
        return index.count_again();
    }

    // Takes what is new in a log, and moves its tip.
    Result<void> take_log(const Log& log) {
        TRY_ASSIGN(Tip now, known_tip(log.ref));
        if (now.oid == log.tip) return {};
        if (!is_writer(log.writer))
            return report.refused.push_back({log.ref, "is not a writer's name"}), Result<void>();
        std::size_t have = now.records;
        Repo& repo = index.clone_->repo;
        Tip seen = tips[log.ref];
        if (!seen.oid.empty() && !repo.has_object(seen.oid)) seen = {};
        if (log.ref.starts_with("refs/heads/") && !seen.oid.empty() &&
            !check_extends(repo, seen.oid, seen.records, log.tip)) {
            TRY(forget_own(log));
            seen = {};
            have = 0;
        }
        Oid tip = log.tip;
        auto roots = log.ledger ? trusted_roots(*index.clone_) : Roots();
        auto good = roots ? check(log, seen, roots->now.verifiers) : Result<std::string>(fail(roots.error()));
        auto read = good ? segments_of(tip, have) : fail(good.error());
        if (!read) {
            report.refused.push_back({log.ref, read.error().message});
            if (seen.oid.empty() || seen.oid == tip || !log.ref.starts_with("refs/remotes/")) return {};
            // Back to where it was good: nothing is lost, and a repaired remote can be followed again.
            TRY(repo.set_ref(log.ref, seen.oid, tip));
            tip = seen.oid;
            read = read_segments(repo, tip, have);
            if (!read) return {};
        }
        for (LogSegment& part : *read) {
            for (std::size_t i = 0; i < part.lines.size(); ++i) {
                ++have;
                if (log.ledger) {
                    TRY(take_verdict(part.lines[i], log.writer));
                } else {
                    waiting.push_back({{std::move(part.lines[i]), log.writer},
                                       part.blob,
                                       part.first + i,
                                       log.source,
                                       good ? *good : std::string()});
                }
            }
        }
        TRY(follow(log.ref, {tip, have}));
        return waiting.size() >= kBatchLines ? pass_on() : Result<void>();
    }

private:
    Oid last_blob_{};
    std::int64_t last_number_ = 0;
};

Result<void> Index::take_logs(const std::vector<Ref>& refs, RefreshReport& report) {
    Intake intake(*this, report);
    TRY(intake.prepare());
    TRY_ASSIGN(intake.tips, read_tips(*clone_));
    TRY_ASSIGN(auto lineage, check_ahead(refs));
    // Journals before ledgers: a verdict finds the claim that it is on.
    TRY_ASSIGN(std::vector<Log> journals, logs_of(refs, false));
    TRY(intake.read_ahead(journals));
    for (const Log& journal : journals) TRY(intake.take_log(journal));
    for (const Ref& ref : refs) {
        if (is_archive(ref.name) || under(ref.name, "bundle/")) TRY(take_bundles(ref, intake));
    }
    TRY(intake.flush());
    TRY(forget_verdicts_of_other_roots(report));
    TRY_ASSIGN(std::vector<Log> ledgers, logs_of(refs, true));
    for (const Log& ledger : ledgers) TRY(intake.take_log(ledger));
    if (lineage) TRY(lineage->give(*lineage_));
    std::vector<Ref> branches;
    for (const Ref& ref : refs) {
        if (under(ref.name, "candidates/")) branches.push_back(ref);
    }
    TRY(take_candidates(branches, intake.carried, report));
    return intake.moved ? write_tips(*clone_, intake.tips) : Result<void>();
}

// Who judges has changed: ledgers are read again from the beginning.
Result<void> Index::forget_verdicts_of_other_roots(RefreshReport& report) {
    auto roots = trusted_roots(*clone_);
    const std::string now = roots ? roots->now.digest : roots.error().message;
    TRY_ASSIGN(Statement get, db_->prepare("SELECT value FROM meta WHERE key = 'roots'"));
    TRY_ASSIGN(bool there, get.step());
    if (there && get.text(0) == now) return {};
    get.reset();
    TRY_ASSIGN(Statement set, db_->prepare("INSERT OR REPLACE INTO meta VALUES('roots', ?)"));
    TRY(set.bind(1, now).run());
    TRY(db_->execute(
        "INSERT OR IGNORE INTO dirty SELECT candidate FROM record WHERE type = 'claim' AND candidate IS NOT NULL; "
        "DELETE FROM log WHERE ref LIKE '%/ledger/%'"));
    TRY_ASSIGN(Statement forget, db_->prepare("DELETE FROM verdict"));
    TRY(forget.run());
    report.verdicts -= static_cast<int>(db_->changes());  // what is met again is no news
    return {};
}

// The journals or ledgers among the refs.
Result<std::vector<Index::Log>> Index::logs_of(const std::vector<Ref>& refs, bool ledger) {
    std::vector<Log> logs;
    for (const Ref& ref : refs) {
        const auto writer = under(ref.name, ledger ? "ledger/" : "journal/");
        if (!writer) continue;
        // Others' local branches are not theirs; of this clone's two, the local one holds all and more.
        const bool local = ref.name.starts_with("refs/heads/"), own = *writer == clone_->writer;
        if (local && !own) continue;
        if (!local && own) {
            TRY_ASSIGN(std::optional<Oid> here,
                       clone_->repo.ref(ledger ? clone_->ledger_ref() : clone_->journal_ref()));
            if (here) continue;
        }
        logs.push_back({ref.name, *writer, ref.oid, ledger, source_of_ref(ref.name)});
    }
    return logs;
}

// A new index checks the pool's candidates while it takes its records.
Result<std::unique_ptr<LineageAhead>> Index::check_ahead(const std::vector<Ref>& refs) {
    TRY_ASSIGN(Statement any, db_->prepare("SELECT 1 FROM candidate_commit LIMIT 1"));
    TRY_ASSIGN(bool known, any.step());
    if (known) return nullptr;
    std::vector<Oid> commits;
    for (const Ref& ref : refs) {
        if (under(ref.name, "candidates/")) commits.push_back(ref.oid);
        if (!is_archive(ref.name)) continue;
        auto bundles = read_bundles(clone_->repo, ref.oid, "");
        if (!bundles) continue;  // take_bundles() says why
        for (const Bundle& bundle : *bundles)
            commits.insert(commits.end(), bundle.candidates.begin(), bundle.candidates.end());
    }
    if (commits.size() < kMuch) return nullptr;
    return std::make_unique<LineageAhead>(clone_->repo.git_dir(), clone_->task, std::move(commits));
}

// The name that an artifact's commit gives itself; what it holds is checked when it is loaded (pool/sync.h).
Result<void> Index::take_artifact(const Oid& commit) {
    TRY_ASSIGN(Commit raw, clone_->repo.read_commit(commit));
    constexpr std::string_view kWord = "artifact ";
    if (!raw.message.starts_with(kWord) || raw.message.size() < kWord.size() + 64) return {};
    const std::string digest = raw.message.substr(kWord.size(), 64);
    if (!is_hex(digest, 64)) return {};
    TRY_ASSIGN(std::optional<Oid> there, clone_->repo.ref("refs/artifacts/" + digest));
    return there ? Result<void>() : clone_->repo.set_ref("refs/artifacts/" + digest, commit, "");
}

// What a chain of bundles carries: candidates, and the journals of people who cannot push here.
Result<void> Index::take_bundles(const Ref& ref, Intake& intake) {
    TRY_ASSIGN(Tip before, intake.known_tip(ref.name));
    if (before.oid == ref.oid) return {};
    const bool append_only = is_archive(ref.name);
    auto bundles = read_bundles(clone_->repo, ref.oid, append_only ? intake.tips[ref.name].oid : "");
    if (!bundles) {
        intake.report.refused.push_back({ref.name, bundles.error().message});
        const Oid good = intake.tips[ref.name].oid;
        if (!append_only || good.empty() || !ref.name.starts_with("refs/remotes/")) return {};
        return clone_->repo.set_ref(ref.name, good, ref.oid);
    }
    if (append_only && before.oid.empty()) {  // a rebuilt index begins at the beginning
        TRY_ASSIGN(bundles, read_bundles(clone_->repo, ref.oid, ""));
    }
    if (!append_only) ++intake.report.proposals;
    const std::string source = append_only ? "archive" : source_of_ref(ref.name);
    const std::string from = append_only ? "archive" : "refs/sources/" + source;
    for (const Bundle& bundle : *bundles) {
        for (const Oid& candidate : bundle.candidates) intake.carried.push_back({candidate, ref.name, append_only});
        for (const Oid& artifact : bundle.artifacts) TRY(take_artifact(artifact));
        for (const Oid& journal : bundle.journals) {
            TRY_ASSIGN(Commit tip, clone_->repo.read_commit(journal));
            const std::string& writer = tip.author.name;
            if (!is_writer(writer) || writer == clone_->writer) continue;
            TRY(intake.take_log({from + "/carried/" + writer, writer, journal, false, source}));
        }
    }
    return intake.follow(ref.name, {ref.oid, 0});
}

Result<void> Index::take_spool(RefreshReport& report) {
    TRY_ASSIGN(std::vector<std::string> lines, spooled_lines(*clone_));
    const std::string own_key = clone_->key.fingerprint();
    Intake intake(*this, report);
    TRY(intake.prepare());
    for (std::string& line : lines) {
        TRY_ASSIGN(bool known, intake.find.bind(1, record_id(line)).step());
        intake.find.reset();
        if (!known) intake.waiting.push_back({{std::move(line), clone_->writer}, "", 0, "", own_key});
    }
    return intake.flush();
}

}  // namespace cultivar
