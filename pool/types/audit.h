// How far a claim is audited, as verdicts name it (pool/types/verdict.h). Names on the wire never change their meaning.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cultivar {

enum class Tier { structure, rescore, replay, rerun };  // a tier includes those before it

const char* name(Tier tier);
std::optional<Tier> tier_of(std::string_view name);

enum class VerdictResult { accepted, rejected, inconclusive };

const char* name(VerdictResult result);
std::optional<VerdictResult> verdict_result_of(std::string_view name);

// How sure an accepted verdict is.
enum class Certainty {
    accepted,     // all that was due was done
    provisional,  // as far as it was judged, nothing is wrong; a rerun or another check is still due
    scored,       // its weights reach the score; nobody with such a device has repeated any of its training
};

const char* name(Certainty certainty);
// A word of a later program is taken for the least sure one.
Certainty certainty_of(std::string_view name);

// How much of each tier.
enum class AuditExtent {
    sample,   // some chunks, and the replay of one run
    whole,    // every chunk, the full validation set, the replay of every run
    in_full,  // whole, and on to a rerun: much depends on the claim, or the lot chose it
};

const char* name(AuditExtent extent);
std::optional<AuditExtent> audit_extent_of(std::string_view name);

// The audit that was planned for a claim before it was judged. A verdict keeps it.
struct PlannedAudit {
    Tier tier = Tier::rescore;  // the last tier to be tried
    AuditExtent extent = AuditExtent::sample;
    // A rerun is due: it was put off for want of verification time or of such a machine, or, with the tier rerun, it was
    // tried and failed.
    bool rerun_waits = false;

    bool operator==(const PlannedAudit&) const = default;
};

}  // namespace cultivar
