// The task of a pool: `pool.toml` on `main`. Format 1; or 2: for kind "command" since placeholders and rules for figures, for
// kind "lm" since budgets count processor time.
//
//   format = 1                         a reader that meets a larger number stops and says so
//   name = "..."                       created = "2026-11-21T03:40:00Z" (the date of every root candidate's commit)
//   [task]     kind, metric, direction, clock, budget_s, artifact_cap_bytes, window_stride_tokens (0: windows do not overlap)
//   [caps]     parameters, forward_flops_per_token, joules_per_token: the most that a model may cost to use (pool/types/use_cost.h),
//              each optional; absent from a new pool
//   [record]   min_gain_nats, p_value, min_seeds
//   [verify]   share                   of the recorded search cost that verification may take
//   [gene.<name>] type, default, range = [low, high], log, multiple_of, levels, choices, when, equals, structural,
//              since, unit, help       in order of declaration
//   [[constraint]] kind = "multiple" | "at_most", left, right, factor
//   [data]     absent until `data import`; see Data
//   [command]  of kind "command" alone, whose data are [[data.file]]; see pool/types/trainer_command.h
//
// Task id = SHA-256 of the lines of task_id_text(): scores with the same task id are comparable. Budgets and ranges are
// not in it (a category holds the budget), nor are genes that came after `init` (since > 0): a pool may widen ranges
// and gain genes without orphaning its history. Caps are in it, as is the artifact's: a winner under one cap need not
// win under another. So caps are settled before data come, and no record that once counted stops counting. For kind
// "command" the words of the command, its files and its data are in it: another command makes another task.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/types/search_space.h"
#include "pool/types/trainer_command.h"
#include "pool/types/use_cost.h"
#include "pool/util/result.h"

namespace cultivar {

inline constexpr int kPoolFormat = 1, kNewestPoolFormat = 2;
inline constexpr std::string_view kModelKind = "lm";

struct PoolFile {
    std::string name;  // "train_000000.bin"
    std::string sha256;
    std::int64_t tokens = 0;  // 0: not a shard
};

struct PoolSource {
    std::string name;  // file name without folders
    std::string sha256;
};

// Targets scored and the bytes they stand for: tokens/bytes is a constant of the pool.
struct ValidationPart {
    std::int64_t targets = 0;
    std::int64_t bytes = 0;
};

// [data]: everything by digest, so that another machine that imports the same files gets the same data or an error.
struct Data {
    std::string tokenizer;         // "sentencepiece" or "byte"
    std::string tokenizer_sha256;  // of tokenizer.model on main; "" for "byte"
    std::int64_t vocabulary = 0;
    std::string separator;                                   // between documents; "" = blank lines
    std::int64_t slice_text_bytes = 0, full_text_bytes = 0;  // sizes asked for at import
    std::vector<PoolSource> sources;                         // [[data.source]]
    std::vector<PoolFile> train;                             // [[data.train]], in reading order
    PoolFile slice, full, byte_table;                        // [data.slice], [data.full], [data.byte_table]
    ValidationPart slice_score, full_score;
};

struct Task {
    int format = kPoolFormat;
    std::string name;
    std::string created;
    std::string kind = "lm";
    std::string metric = "val_bpb";
    std::string direction = "minimize";
    bool noiseless = false;  // noise = "none": runs of one candidate score alike; of kind "command" only
    // clock = "cpu": a run's budget counts the time that its work would take if nothing else ran on the machine; else it is
    // wall time. Of kind "lm" in format 2.
    bool cpu_clock = false;
    double budget_s = 600;
    std::int64_t artifact_cap_bytes = 16'000'000;
    std::int64_t window_stride_tokens = 0;
    UseCost caps;
    double record_min_gain_nats = 0.005;
    double record_p_value = 0.01;
    int record_min_seeds = 3;
    double verify_share = 0.05;
    Space space;
    std::optional<Data> data;
    std::optional<PoolCommand> command;  // of kind "command", always

    // A score as a loss, which everything inside minimises, and back: the same figure, or its negative where the score is
    // maximised.
    double loss_of(double score) const { return direction == "maximize" ? -score : score; }
    double score_of(double loss) const { return loss_of(loss); }

    // Gives the space the command's surface as it is now: after its files became known, too.
    void share_surface();

    // Can runs be scored?
    bool settled() const { return data || (command && (!needs_data(*command) || !command->data.empty())); }
    // Does nothing but a run's own word say its score, so that only a rerun confirms it?
    bool self_reported() const { return command && !command->evaluator; }
    // Is there an evaluator that scores on a verifier's own file too?
    bool takes_hold_out() const { return command && command->evaluator && command->evaluator->takes_hold_out(); }
    // The fresh seeds that a record takes: where runs do not vary, one tells all.
    int record_seeds() const { return noiseless ? 1 : record_min_seeds; }
    std::string id() const;  // 64 hex digits; only meaningful once settled
};

std::string task_id_text(const Task& task);
std::string to_toml(const Task& task);

// May `next` replace `now` in a pool? Its space may only widen (pool/types/space_successor.h); the task id stays. Errors:
// corrupt, with the change.
Result<void> may_follow(const Task& now, const Task& next);
// The changes by which a contributor works for other ends, or for longer, a sentence each: budget, share, noise and the
// rule for records.
std::vector<std::string> changed_terms(const Task& before, const Task& now);

}  // namespace cultivar
