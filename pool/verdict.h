// A verdict: a verifier's judgement on one claim, as an in-toto Statement v1 on one line of its ledger.
//   {"_type":"https://in-toto.io/Statement/v1",
//    "subject":[{"name":"claim","digest":{"sha256":CLAIM}},{"name":"artifact","digest":{"sha256":ARTIFACT}}],
//    "predicateType":"urn:cultivar:verdict:1",
//    "predicate":{"v":1,"task":...,"candidate":...,"result":"accepted"|"rejected"|"inconclusive",
//      "tier":"structure"|"rescore"|"replay"|"rerun","reason":"...","claimed":{"val_bpb":B},
//      "measured":{"val_bpb":B|null,"chunks":N},"tolerance_bpb":T,"evaluator":"cultivar-lm ...","slice":SHA-256,
//      "cost":{"seconds":S,"joules":J,"ratio":R},"verifier":WRITER,"at":UTC}}
// The ledger's tip is signed; a verdict counts only when that key stands in allowed_signers on main.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pool/result.h"

namespace cultivar {

struct Verdict {
    std::string claim;  // record id
    std::string task, candidate, artifact;
    std::string result;  // "accepted", "rejected", "inconclusive"
    std::string tier;
    std::string reason;  // one line
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
};

std::string to_line(const Verdict& verdict);
// Errors: corrupt, newer.
Result<Verdict> parse_verdict(std::string_view line);

// The time of a verdict that is made now and replaces `before`, if any: the newest counts, so it is after that one even if
// that one's clock was ahead.
std::string verdict_time(const std::optional<Verdict>& before, std::int64_t now_s);

}  // namespace cultivar
