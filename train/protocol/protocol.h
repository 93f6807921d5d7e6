// The protocol between cultivar and a trainer: the built-in worker (cultivar-lm) or any external command.
//
// The trainer is started as `PROGRAM ... run SPEC.json` with an empty standard input. If its command has a word
// `{specification}`, the path replaces that word instead. It reads the run's specification from that file and writes
// events to standard output, one JSON object per line, flushed at once. Its standard error is kept as the run's log.
// SIGTERM asks it to write a checkpoint if it can, and to exit with code 143. A checkpoint is in the specification's
// `work_dir`; a trainer started again with the same specification continues from it.
//
// Specification (format 1), one JSON object:
//   protocol       1
//   mode           "train": train, then write and score the artifact;  "score": score an artifact;
//                  "replay": repeat the first steps of a run, only for their losses (needs no val_shard, byte_table,
//                  artifact or artifact_cap_bytes);
//                  "bench": run the category's fixed benchmark (needs only threads of the fields below)
//   genes          {name: value}, every active or inactive gene with its value
//   seed           whole number below 2^53
//   budget_s       seconds on the training clock
//   budget_clock   "cpu": the training clock counts the time that the run's work would take if nothing else ran; absent or
//                  "wall": it counts wall time
//   threads        whole number
//   device         "cpu", "cuda" or "mps"
//   clock          "train" and "replay": the before_s of each step of a run, from 0, never falling. The trainer makes
//                  as many steps, with the rates for those times, and uses no other clock. Empty or absent: the
//                  trainer's own clock and the budget. Required for "replay"
//   checkpoint_s   seconds of training that a crash of the machine may lose, about; absent: 30
//   train_shards   [path, ...] in reading order          val_shard   path (the slice)
//   byte_table     path                                   vocabulary  number of token ids
//   artifact_cap_bytes
//   caps           optional, {"parameters":N,"forward_flops_per_token":F,"joules_per_token":J}, each optional: limits
//                  on the cost of using the model. A trainer refuses a model over the first two before it reads data
//                  ("unfit"); all three are checked again when the run is recorded
//   work_dir       folder for checkpoints, owned by this run
//   artifact       path: written by "train", read by "score"
//   chunks         "score" only: which of the 64 chunks to score; empty = all
//
// Events (unknown events and fields are skipped):
//   {"event":"start","trainer":"cultivar-lm 0.1.0 ...","parameters":N,"flops_per_token":F,"resumed_s":S,
//       "memory_bytes":B}                                  memory_bytes: the expected most that the run takes
//   {"event":"step","step":N,"elapsed_s":E,"before_s":B,"train_loss":L,"tokens":N,"wall_s":W,"here_s":H}  after each
//       step; before_s is the time that the step's learning rate was computed from; tokens are counted since the run's
//       start; wall_s: wall time while the training clock ran; here_s: with a recorded clock, the time that the steps took
//       here, as budget_clock counts it. Both may be left out
//   {"event":"eval"}                                       training is over, scoring begins
//   {"event":"done","steps":N,"tokens":N,"train_s":S,"artifact":PATH,"artifact_bytes":N,
//       "val_loss":L,"val_bpb":B,"val_tokens":N,"val_bytes":N,"chunks":[...],"chunk_loss_sums":[...]}
//       bench: {"event":"done","flops_per_s":F}; replay: {"event":"done","replayed_steps":N,"tokens":N,"train_s":S};
//       score: without steps, tokens and train_s, with parameters
//       a pool's own command: {"event":"done","score":S}, smaller is better; steps, tokens and train_s as above,
//       or none of them. A file or folder at the specification's `artifact` is the run's
//       artifact
//   {"event":"error","kind":"unfit"|"data"|"diverged"|"artifact"|"usage"|"internal"|"machine","message":"..."}
//       machine: the fault is this machine's (its device, its disk), not the candidate's; the search stops and says so
// Exit codes of the trainer: 0 done, 125 unfit, 143 stopped by SIGTERM, anything else failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pool/types/search_space.h"
#include "pool/types/use_cost.h"
#include "pool/util/result.h"

namespace cultivar {

inline constexpr int kProtocolVersion = 1;
inline constexpr std::string_view kSpecificationWord = "{specification}";
inline constexpr std::size_t kMaxEventBytes = 64 * 1024;

struct Specification {
    enum class Mode { train, score, replay, bench } mode = Mode::train;
    Genes genes;
    std::uint64_t seed = 0;
    double budget_s = 0;
    bool cpu_clock = false;
    int threads = 1;
    std::string device = "cpu";
    std::vector<double> clock;
    double checkpoint_s = 30;
    std::vector<std::string> train_shards;
    std::string val_shard;
    std::string byte_table;
    std::int64_t vocabulary = 0;
    std::int64_t artifact_cap_bytes = 0;
    UseCost caps;
    std::string work_dir;
    std::string artifact;
    std::vector<int> chunks;
    // Of a pool's own command, in no JSON: the folder of its data with a trailing '/' ("": it has none), and its files.
    std::string data;
    std::vector<std::string> data_files;
    // A candidate's source files, path in the run's folder and bytes: laid there before the program starts, in no JSON.
    std::vector<std::pair<std::string, std::string>> source;
    std::string device_number;  // of several of its kind, "0": the one that the program sees; in no JSON
};

struct StartEvent {
    std::string trainer;
    std::int64_t parameters = 0;
    double flops_per_token = 0;
    double resumed_s = 0;
    double memory_bytes = 0;
};
struct StepEvent {
    std::int64_t step = 0;
    double elapsed_s = 0;
    double before_s = 0;
    double train_loss = 0;
    std::int64_t tokens = 0;
    double wall_s = 0, here_s = 0;  // 0: not told
};
struct EvalEvent {};
struct DoneEvent {
    std::int64_t steps = 0;
    std::int64_t tokens = 0;
    double train_s = 0;
    std::string artifact;
    std::int64_t artifact_bytes = 0;
    std::int64_t parameters = 0;
    double val_loss = 0;
    double val_bpb = 0;
    std::int64_t val_tokens = 0;
    std::int64_t val_bytes = 0;
    std::vector<int> chunks;
    std::vector<double> chunk_loss_sums;
    double flops_per_s = 0;
    std::int64_t replayed_steps = 0;
    std::optional<double> score;  // from a pool's own command
};
struct ErrorEvent {
    std::string kind;
    std::string message;
};
struct UnknownEvent {};
using Event = std::variant<StartEvent, StepEvent, EvalEvent, DoneEvent, ErrorEvent, UnknownEvent>;

std::string to_json(const Specification& specification);
// Errors: usage (missing or ill-typed field), newer.
Result<Specification> parse_specification(std::string_view json);

std::string to_line(const Event& event);
// A trainer's output is foreign: every error is corrupt. Figures must be finite numbers (NaN and infinity arrive as
// null, which is corrupt).
Result<Event> parse_event(std::string_view line);

}  // namespace cultivar
