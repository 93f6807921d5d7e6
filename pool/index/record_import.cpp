// Records on their way into the index's tables. The statements that take them are prepared once.
#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "pool/index/importer.h"

namespace cultivar {
namespace {

constexpr std::size_t kRunAfter = 8;      // records after a lease among which its run is looked for
constexpr std::size_t kBatchLines = 512;  // read, then checked on all cores, then written

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

}  // namespace

Result<void> Index::RecordChecks::prepare() {
    const std::pair<Statement*, const char*> statements[] = {
        {&put_,
         "INSERT OR IGNORE INTO record(id, type, writer, candidate, category, at, status, decision, score, "
         "budget_s, "
         "wall_s, search_joules, operator, steps, parents, artifact, artifact_run, seen_s, segment, place, line, "
         "refused, parameters, flops, joules, source, reason, proposer, proposer_s, proposer_usd, "
         "tokens, train_s, replicate) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {&refused_copy_, "SELECT 1 FROM record WHERE id = ? AND refused IS NOT NULL"},
        {&forget_, "DELETE FROM record WHERE id = ?"},
        {&link_, "INSERT OR IGNORE INTO claim_run VALUES(?, ?)"},
        {&segment_, "INSERT OR IGNORE INTO segment(blob) VALUES(?)"},
        {&known_segment_, "SELECT number FROM segment WHERE blob = ?"},
        {&writer_, "INSERT OR IGNORE INTO writer(name, key) VALUES(?, ?)"},
        {&dirty_, "INSERT OR IGNORE INTO dirty VALUES(?)"},
        {&find_, "SELECT 1 FROM record WHERE id = ?"},
        {&candidate_, "INSERT OR IGNORE INTO candidate(id, toml, parents) VALUES(?, ?, ?)"},
        {&get_tip_, "SELECT tip, records FROM log WHERE ref = ?"},
        {&set_tip_, "INSERT OR REPLACE INTO log VALUES(?, ?, ?)"},
        {&verdict_,
         "INSERT OR IGNORE INTO verdict(id, claim, verifier, result, at, seconds, joules, record, line) "
         "VALUES(?,?,?,?,?,?,?,?,?)"},
    };
    for (const auto& [statement, sql] : statements) {
        TRY_ASSIGN(*statement, index.db_->prepare(sql));
    }
    return {};
}

void Index::RecordChecks::add(RawLine line, Origin origin) {
    waiting_.lines.push_back(std::move(line));
    waiting_.origins.push_back(std::move(origin));
}

Result<void> Index::RecordChecks::pass_on() {
    return waiting_.lines.size() >= kBatchLines ? check_waiting() : Result<void>();
}

Result<void> Index::RecordChecks::flush() {
    TRY(check_waiting());
    return check_waiting();
}

// What waits is checked in the background; what was checked meanwhile enters the tables.
Result<void> Index::RecordChecks::check_waiting() {
    Batch next = std::exchange(waiting_, {});
    next.checked = std::async(std::launch::async, [this, lines = std::span<const RawLine>(next.lines)] {
        return check_lines(index.clone_->task, index.clone_->task_id, lines);
    });
    std::swap(next, checking_);
    return take_batch(next);
}

Result<void> Index::RecordChecks::take_batch(Batch& batch) {
    if (!batch.checked.valid()) return {};
    const auto checked = batch.checked.get();
    for (std::size_t i = 0; i < batch.lines.size(); ++i) {
        if (!is_over(batch, checked, i)) TRY(take(batch.lines[i], checked[i], batch.origins[i]));
    }
    return {};
}

// A lease whose run follows, as that of nearly every run that is old: nobody asks for it again.
bool Index::RecordChecks::is_over(const Batch& batch, const std::vector<CheckedLine>& checked, std::size_t at) {
    const Lease* lease = checked[at].record ? std::get_if<Lease>(&*checked[at].record) : nullptr;
    if (!lease || !checked[at].refused.empty()) return false;
    for (std::size_t i = at + 1; i < std::min(at + 1 + kRunAfter, checked.size()); ++i) {
        const Run* run = checked[i].record ? std::get_if<Run>(&*checked[i].record) : nullptr;
        if (run && run->candidate == lease->candidate && run->replicate == lease->replicate &&
            batch.lines[i].writer == lease->writer)
            return true;
    }
    return false;
}

Result<bool> Index::RecordChecks::holds(const std::string& record) {
    TRY_ASSIGN(bool known, find_.bind(1, record).step());
    find_.reset();
    return known;
}

Result<std::int64_t> Index::RecordChecks::segment_number(const Oid& blob) {
    if (blob == last_blob_) return last_number_;
    TRY(segment_.bind(1, blob).run());
    TRY(known_segment_.bind(1, blob).step());
    last_blob_ = blob;
    last_number_ = known_segment_.whole(0);
    known_segment_.reset();
    return last_number_;
}

Result<void> Index::RecordChecks::bind_origin(const RawLine& raw, const Origin& from) {
    put_.bind(3, raw.writer).bind(18, met_s_);
    if (!from.source.empty()) put_.bind(26, from.source);
    if (from.blob.empty()) {
        put_.bind(21, raw.text);
        return {};
    }
    TRY_ASSIGN(std::int64_t number, segment_number(from.blob));
    put_.bind(19, number).bind(20, static_cast<std::int64_t>(from.place));
    return {};
}

void Index::RecordChecks::bind(const Run& run) {
    put_.bind(2, "run")
        .bind(4, run.candidate)
        .bind(5, run.category)
        .bind(6, std::min(run.ended, met_at_))
        .bind(7, name(run.status));
    put_.bind(8, name(run.decision));
    if (auto score = run.status == RunStatus::stopped ? run.expected_bpb : run.val_bpb) put_.bind(9, *score);
    put_.bind(10, run.budget_s).bind(11, run.wall_s).bind(12, run.energy.joules).bind(13, run.operator_name);
    put_.bind(14, run.steps).bind(15, joined(run.parents)).bind(16, run.artifact);
    if (run.status == RunStatus::unfit) put_.bind(27, run.reason);
    const UseCost cost = use_cost(run);
    if (cost.parameters) put_.bind(23, *cost.parameters);
    if (cost.forward_flops_per_token) put_.bind(24, *cost.forward_flops_per_token);
    if (cost.joules_per_token) put_.bind(25, *cost.joules_per_token);
    put_.bind(31, run.tokens).bind(32, run.train_s).bind(33, std::int64_t{run.replicate});
    if (run.proposer.empty()) return;
    put_.bind(28, run.proposer).bind(29, run.proposer_seconds).bind(30, run.proposer_usd.value_or(0));
}

void Index::RecordChecks::bind(const Claim& claim) {
    put_.bind(2, "claim").bind(4, claim.candidate).bind(5, claim.category).bind(6, claim.at).bind(9, claim.val_bpb);
    put_.bind(15, joined(claim.parents)).bind(16, claim.artifact).bind(17, claim.artifact_run);
}

void Index::RecordChecks::bind(const Lease& lease) {
    put_.bind(2, "lease").bind(4, lease.candidate).bind(5, lease.category).bind(6, lease.at);
    put_.bind(10, lease.budget_s).bind(33, std::int64_t{lease.replicate});
}

void Index::RecordChecks::bind(const Retirement& retirement, const std::string& key) {
    put_.bind(2, "retirement").bind(4, retirement.candidate).bind(6, retirement.at);
    put_.bind(7, retirement.retired ? "retired" : "back").bind(13, key).bind(27, retirement.reason);
}

Result<bool> Index::RecordChecks::insert(const std::string& id, bool counts) {
    TRY(put_.run());
    if (index.db_->changes() > 0) return true;
    if (!counts) return false;
    // A copy in another's journal, met first and refused, does not stand in the owner's way.
    TRY_ASSIGN(bool refused, refused_copy_.bind(1, id).step());
    refused_copy_.reset();
    if (!refused) return false;
    TRY(forget_.bind(1, id).run());
    TRY(put_.run());
    TRY(index.count_again());
    return true;
}

// Records of one writer lie together.
Result<void> Index::RecordChecks::take_writer(const std::string& name, const std::string& key) {
    if (name == last_writer_) return {};
    TRY(writer_.bind(1, name).bind(2, key).run());
    report.contributors += static_cast<int>(index.db_->changes());
    last_writer_ = name;
    return {};
}

Result<void> Index::RecordChecks::take_content(const auto& record) {
    candidate_.bind(1, record.candidate).bind(2, record.toml).bind(3, joined(record.parents));
    TRY(candidate_.run());
    report.candidates += static_cast<int>(index.db_->changes());
    return {};
}

Result<void> Index::RecordChecks::take(const RawLine& raw, const CheckedLine& line, const Origin& from) {
    put_.clear().bind(1, line.id).bind(2, "unreadable");
    TRY(bind_origin(raw, from));
    const bool counts = line.refused.empty();
    if (!counts) put_.bind(22, line.refused);
    const Run* run = line.record ? std::get_if<Run>(&*line.record) : nullptr;
    const Claim* claim = line.record ? std::get_if<Claim>(&*line.record) : nullptr;
    const Lease* lease = line.record ? std::get_if<Lease>(&*line.record) : nullptr;
    const Retirement* retirement = line.record ? std::get_if<Retirement>(&*line.record) : nullptr;
    if (run) bind(*run);
    if (claim) bind(*claim);
    if (lease) bind(*lease);
    if (retirement) bind(*retirement, from.key);
    TRY_ASSIGN(bool fresh, insert(line.id, counts));
    if (!fresh) return {};
    if (claim) {
        for (const std::string& one : claim->runs) TRY(link_.bind(1, line.id).bind(2, one).run());
    }
    TRY(take_writer(raw.writer, from.key));
    if (!counts)
        report.refused.push_back({fmt::format("a record of {} ({})", raw.writer, line.id.substr(0, 8)), line.refused});
    if (counts && lease) ++report.leases;
    if (counts && retirement) ++report.retirements;
    if (!run && !claim) return {};
    if (!index.is_new_) TRY(dirty_.bind(1, run ? run->candidate : claim->candidate).run());
    if (!counts) return {};
    ++(run ? report.runs : report.claims);
    return run ? take_content(*run) : take_content(*claim);
}

Result<void> Index::RecordChecks::take_verdict(const std::string& line, const std::string& verifier) {
    auto verdict = parse_verdict(line);
    if (verdict && verdict->task != index.clone_->task_id) return {};
    if (!verdict || verdict->verifier != verifier) {
        std::string why =
            verdict ? fmt::format("names '{}' as its verifier", verdict->verifier) : verdict.error().message;
        report.refused.push_back({"a verdict of " + verifier, why});
        return {};
    }
    verdict_.bind(1, record_id(line)).bind(2, verdict->claim).bind(3, verifier).bind(4, verdict->result);
    verdict_.bind(5, verdict->at).bind(6, verdict->seconds).bind(7, verdict->joules);
    verdict_.bind(8, std::int64_t{verdict->record && verdict->record->accepted}).bind(9, line);
    TRY(verdict_.run());
    report.verdicts += static_cast<int>(index.db_->changes());
    return dirty_.bind(1, verdict->candidate).run();
}

}  // namespace cultivar
