// A verdict: a verifier's judgement on one claim, as an in-toto Statement v1 on one line of its ledger.
//   {"_type":"https://in-toto.io/Statement/v1",
//    "subject":[{"name":"claim","digest":{"sha256":CLAIM}},{"name":"artifact","digest":{"sha256":ARTIFACT}}],
//    "predicateType":"urn:cultivar:verdict:1",
//    "predicate":{"v":1,"task":...,"candidate":...,"result":"accepted"|"rejected"|"inconclusive",
//      "tier":"structure"|"rescore"|"replay"|"rerun","reason":"...","claimed":{"val_bpb":B},
//      "measured":{"val_bpb":B|null,"chunks":N},"tolerance_bpb":T,"evaluator":"cultivar-lm ...","slice":SHA-256,
//      "cost":{"seconds":S,"joules":J,"ratio":R,"energy":ENERGY},"verifier":WRITER,"at":UTC,"zone":ZONE,
//      "data":[{"name":"slice","digest":{"sha256":D}},...],"evaluator_sha256":D,
//      "checks":[{"name":TEXT,"claimed":C|null,"measured":M|null,"tolerance":T|null,"count":N,
//        "interval":[L,H],"seconds":S},...],"chosen":TEXT,"reruns":[{"seed":N,"val_bpb":B,"seconds":S},...],
//      "record":{"accepted":B,"seeds":N,"against":CLAIM|null,"gain":G|null,"p":P|null,"interval":[L,H]|null},
//      "plan":{"tier":TIER,"extent":"sample"|"whole"|"in_full","rerun_waits":true},
//      "certainty":"provisional"|"scored","first":CLAIM,"earns":false}}
// A claim without an artifact has one subject alone, and its slice is "". Scores are losses: a maximised one is negative.
// The fields after "at", "energy" (pool/types/energy.h: of this audit) and "zone" (its electricity grid) came later: each is left out where it is empty, so that older lines keep their bytes, and a
// reader takes its absence for that. data: the files that it was scored on, by digest. evaluator_sha256: of the program
// that scored. checks: each further figure that was held against the claim; its 95 % interval and seconds where known.
// chosen: the reason for the extent of the audit, for people. reruns: the scores of verifiers' own trainings with fresh
// seeds, those of the verdict that this one replaces first. record: the result of the pool's rule for records
// (eval/statistics/significance.h), in bits per byte: the gain over the record that stood, the chance of such a gain
// without a true one, and the gain's 95 % interval; "against" is null where none stood, and then those three are. Older
// verdicts have a record without reruns: it rests on the scores of the claim's own runs. plan: the audit that was
// planned (pool/types/audit.h); "rerun_waits" is left out where it is false. The parser reads the plan of older
// verdicts from "chosen", and no other code looks at that text. certainty: how sure "accepted" is; left out where all that
// was due was done, and by older verifiers, whose "accepted" may owe a rerun. Programs from before it take the verdict for
// accepted. first: another key's claim of the same candidate that the verifier saw before this one. earns: left out where
// true. The ledger's tip is signed; a verdict counts only when that key stands in allowed_signers on main.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/types/audit.h"
#include "pool/types/energy.h"
#include "pool/util/result.h"

namespace cultivar {

struct Digested {
    std::string name, sha256;
};

struct Check {
    std::string name;
    std::optional<double> claimed, measured, tolerance;
    std::int64_t count = 0;               // chunks, steps or seeds that it rests on
    std::optional<double> low{}, high{};  // 95 % interval of the measured figure
    std::optional<double> seconds{};      // its cost
};

struct Rerun {
    std::uint64_t seed = 0;
    double val_bpb = 0;
    double seconds = 0;  // of the program; 0: unknown
};

struct RecordMark {
    bool accepted = false;
    int seeds = 0;
    std::string against;                        // record id of the claim that held the record, or ""
    double gain = 0, p = 1, low = 0, high = 0;  // with `against` only
};

struct Verdict {
    std::string claim;  // record id
    std::string task, candidate;
    std::string artifact;  // "": of a claim without one, in a pool with a command that leaves none
    VerdictResult result = VerdictResult::inconclusive;
    Tier tier = Tier::structure;  // the last tier that the claim passed, or the tier that it failed
    std::string reason;           // one line
    double claimed_bpb = 0;
    std::optional<double> measured_bpb;
    int chunks = 0;
    double tolerance_bpb = 0;
    std::string evaluator;
    std::string slice;  // digest of the validation slice
    double seconds = 0;
    double joules = 0;
    double ratio = 0;  // seconds over the claim's own
    std::string verifier;
    std::string at;
    std::vector<Digested> data{};
    std::string evaluator_sha256{};  // "": unknown
    std::vector<Check> checks{};
    std::vector<Rerun> reruns{};
    std::optional<RecordMark> record{};
    std::string chosen{};                       // the reason for the extent of the audit, for people; one line
    Certainty certainty = Certainty::accepted;  // of an accepted one
    std::optional<PlannedAudit> plan{};         // none: one of the first verdicts, which kept no reason either
    std::optional<Energy> energy{};  // of this audit; none: older verdicts, and those that were made without one
    std::string zone{};              // electricity grid of the verifier, or ""
    std::string first{};  // another key's claim of this candidate and category that the verifier saw before; "": none
    bool earns = true;    // false: an accepted one that shows no run of its key, though the candidate is good
};

// The one word for it: that of its certainty where it is accepted, else of its result.
const char* word(const Verdict& verdict);

// Is a rerun due that was put off or failed? Older verifiers marked only the former.
bool owes_rerun(const Verdict& verdict);

std::vector<double> fresh_scores(const std::vector<Rerun>& reruns);

std::string to_line(const Verdict& verdict);
// Errors: corrupt, newer.
Result<Verdict> parse_verdict(std::string_view line);

// The time of a verdict that is made now and replaces `before`, if any: the newest counts, so it is after that one even
// if that one's clock was ahead.
std::string verdict_time(const std::optional<Verdict>& before, std::int64_t now_s);

}  // namespace cultivar
