// This verifier's private hold-out: the slice that serves now, and the scores of claims on it. In <state>/hold-out/,
// never in the pool, readable by its owner alone:
//   slice_NN.bin   shards (train/data/hold_out_slices.h)
//   slices.json    {"schema":1,"slices":[{"name","targets","bytes","salt","sha256",
//                  "order":[64 chunks],"since_s":0 or its first claim,"claims":N}]}
//   seen.jsonl     {"on":NAME,"claim":ID,"candidate":ID,"slice_bpb":B,"sums":[...],"judged":TRUTH}, the score on the
//                  validation slice as measured here, sums in nats by the slice's order; a line without "judged" was not
//
// In a pool with a command of its own a slice is a file in place of the validation file (cli/verify/hold_out_files.h): its
// targets, bytes and order say nothing, and a line of seen.jsonl has "score", the loss there, in place of sums.
//
// It rotates: a slice serves kSliceClaims claims or kSliceDays days, whichever comes first, then the next does; when
// all have served, there is no hold-out until another is imported. Every claim that a slice serves is scored on the
// first chunks of one secret order, so that gaps compare like with like (eval/judge/hold_out_gap.h). Verdicts tell only
// the gap and the slice's commitment: SHA-256 of its salt, a line feed and its file's digest. With it, the owner of the
// slice can show later which slice judged which claim.
//
// A claim that came before there were others to compare it with is judged later, by its sums in the book, at no cost
// (cli/verify/gap_review.h). A slice that begins to serve is first scored with weights of the pool that are here already, so
// that its first claims find others to be compared with.
//
// The full validation set, which is no secret, is kept in the same book under the name kFullSet.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "eval/judge/hold_out_gap.h"
#include "pool/clone/clone.h"
#include "train/data/hold_out_slices.h"

namespace cultivar {

inline constexpr int kSliceClaims = 100, kSliceDays = 30;
inline constexpr const char* kFullSet = "full";

struct ServingSlice {
    std::string name, path;
    std::int64_t targets = 0, bytes = 0;
    std::vector<int> order;  // of its chunks
    std::string commitment;
};

struct Appearance {
    std::string on, claim, candidate;
    double slice_bpb = 0;
    std::vector<double> sums;
    bool judged = false;            // was its gap compared with others'?
    std::optional<double> score{};  // of a pool's own command: the loss there, in place of sums
};

class HoldOut {
public:
    // Replaces the hold-out that was there. Errors: io.
    static Result<void> settle(const Clone& clone, const HoldOutMade& made);
    // Nothing imported is no error. Errors: io, corrupt.
    static Result<HoldOut> open(const Clone& clone);

    bool exists() const { return !slices_.empty(); }
    // None: nothing imported, or all have served.
    std::optional<ServingSlice> serving(std::int64_t now_s) const;
    int unused(std::int64_t now_s) const;  // slices that have not served yet

    // Claims that are no others to compare with, as things stand in the pool: their figures may be made up.
    void leave_out(std::set<std::string> claims) { left_out_ = std::move(claims); }
    // The gap of this claim among those of other candidates on as many chunks of a part of that many bytes. The same
    // weights, claimed for several candidates, are one other; so are artifacts that score alike on both.
    GapJudgement judge(const Appearance& claim, std::int64_t bytes, const GapScale& scale = {}) const;
    // Of a slice of this book; 0: it has none of that name.
    std::int64_t bytes_of(const std::string& on) const;
    std::set<std::string> candidates_on(const std::string& on) const;
    std::vector<Appearance> unjudged() const;
    enum class Use { claim, known_weights };  // weights that a slice is begun with use up none of it
    // Durably, in place of what was known of this claim on this part.
    Result<void> remember(const Appearance& claim, std::int64_t now_s, Use use = Use::claim);
    // A rejected claim is no other to compare with: its figures may be made up. Durably.
    Result<void> forget(const std::string& claim);
    // Durably.
    Result<void> mark_judged(const std::vector<Appearance>& claims);

private:
    struct Slice {
        std::string name, salt, sha256;
        std::int64_t targets = 0, bytes = 0, since_s = 0;  // 0: has not served yet
        std::vector<int> order;
        int claims = 0;
        bool used_up(std::int64_t now_s) const;
    };
    Result<void> save() const;
    Result<void> save_seen() const;

    std::string folder_;
    std::vector<Slice> slices_;
    std::vector<Appearance> seen_;
    std::set<std::string> left_out_{};
};

std::string hold_out_folder(const Clone& clone);

}  // namespace cultivar
