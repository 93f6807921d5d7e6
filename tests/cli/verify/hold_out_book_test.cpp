// Tests a verifier's hold-out book: the slice in use, its lifetime, and the gap that it reports for a claim.
#include "cli/verify/hold_out_book.h"

#include <gtest/gtest.h>

#include "cli/verify/hold_out_files.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

constexpr std::int64_t kNow_s = 1'795'232'400, kDay_s = 86'400;

class HoldOutBook : public ::testing::Test {
protected:
    HoldOutBook() : ann_(world_.found("ann")) {
        std::filesystem::create_directories(hold_out_folder(ann_));
        for (const char* name : {"slice_00.bin", "slice_01.bin"}) {
            must(write_file_atomically(hold_out_folder(ann_) + name, name));
            made_.slices.push_back({name, {64 * 64, 64 * 64}});
        }
        must(HoldOut::settle(ann_, made_));
    }
    HoldOut book() { return must(HoldOut::open(ann_)); }
    // A claim on as many chunks as there are sums: a score on the slice, and one that is `gap` nats per chunk worse.
    static Appearance claim(const std::string& on, int number, double gap = 1) {
        const double slice_bpb = 2 + 0.01 * number;
        return {on, "claim" + std::to_string(number), "candidate" + std::to_string(number), slice_bpb,
                std::vector<double>(8, slice_bpb * 64 * 0.6931 + gap)};
    }

    World world_;
    Clone ann_;
    HoldOutMade made_;
};

TEST_F(HoldOutBook, ServesTheFirstSliceFirst) {
    const auto serving = book().serving(kNow_s);
    ASSERT_TRUE(serving);
    EXPECT_EQ(serving->name, "slice_00.bin");
    EXPECT_EQ(serving->order.size(), 64U);
    EXPECT_EQ(book().unused(kNow_s), 2);
}

TEST_F(HoldOutBook, GoesOnToTheNextAfterSoManyClaimsAndEndsWithTheLast) {
    HoldOut book = this->book();
    for (int i = 0; i < kSliceClaims; ++i) must(book.remember(claim("slice_00.bin", i), kNow_s));
    EXPECT_EQ(this->book().serving(kNow_s)->name, "slice_01.bin");
    for (int i = 0; i < kSliceClaims; ++i) must(book.remember(claim("slice_01.bin", i), kNow_s));
    EXPECT_FALSE(this->book().serving(kNow_s));
    EXPECT_TRUE(this->book().exists());
}

TEST_F(HoldOutBook, GoesOnToTheNextAfterItsDays) {
    HoldOut book = this->book();
    must(book.remember(claim("slice_00.bin", 1), kNow_s));
    EXPECT_EQ(book.serving(kNow_s + kSliceDays * kDay_s)->name, "slice_00.bin");
    EXPECT_EQ(book.serving(kNow_s + (kSliceDays + 1) * kDay_s)->name, "slice_01.bin");
}

TEST_F(HoldOutBook, ComparesAClaimWithOtherCandidatesOnTheSameSlice) {
    HoldOut book = this->book();
    for (int i = 0; i < kFewestOthers; ++i) must(book.remember(claim("slice_00.bin", i), kNow_s));
    EXPECT_FALSE(this->book().judge(claim("slice_00.bin", 3), 64 * 64).judged) << "its own candidate is no other";
    EXPECT_FALSE(this->book().judge(claim("slice_01.bin", 20), 64 * 64).judged);
    const GapJudgement usual = this->book().judge(claim("slice_00.bin", 20), 64 * 64);
    EXPECT_TRUE(usual.judged && usual.honest) << usual.reason;
    EXPECT_FALSE(this->book().judge(claim("slice_00.bin", 20, 5), 64 * 64).honest);
}

TEST_F(HoldOutBook, LeavesOutThoseThatWereScoredOnFewerChunks) {
    HoldOut book = this->book();
    for (int i = 0; i < kFewestOthers; ++i) must(book.remember(claim("slice_00.bin", i), kNow_s));
    Appearance more = claim("slice_00.bin", 20);
    more.sums.resize(16, more.sums.front());
    EXPECT_FALSE(book.judge(more, 64 * 64).judged);
    more.sums.resize(4);
    EXPECT_TRUE(book.judge(more, 64 * 64).judged);
}

// Anybody may claim the weights of one model for as many candidates as they like.
TEST_F(HoldOutBook, CountsTheSameWeightsOnceAndNoRejectedClaim) {
    HoldOut book = this->book();
    for (int i = 0; i < kFewestOthers; ++i) {
        Appearance same = claim("slice_00.bin", i);
        same.sums = claim("slice_00.bin", 0).sums;
        must(book.remember(same, kNow_s));
    }
    EXPECT_FALSE(book.judge(claim("slice_00.bin", 20), 64 * 64).judged);
    for (int i = 0; i < kFewestOthers; ++i) must(book.remember(claim("slice_00.bin", i), kNow_s));
    EXPECT_TRUE(book.judge(claim("slice_00.bin", 20), 64 * 64).judged);
    must(book.forget("claim3"));
    EXPECT_FALSE(this->book().judge(claim("slice_00.bin", 20), 64 * 64).judged);
}

// In a pool with a command of its own a claim has one figure there.
TEST_F(HoldOutBook, KeepsAScoreInPlaceOfSums) {
    const auto scored = [](int number, double gap) {
        const double loss = -0.9 + 0.01 * number;
        return Appearance{
            "slice_00.bin", "claim" + std::to_string(number), "candidate" + std::to_string(number), loss, {}, false,
            loss + gap};
    };
    const GapScale scale{0.001, true};
    HoldOut book = this->book();
    for (int i = 0; i < kFewestOthers; ++i) {
        Appearance same = scored(i, 0.02);
        same.slice_bpb = -0.9, same.score = -0.88;
        must(book.remember(same, kNow_s));
    }
    EXPECT_FALSE(book.judge(scored(20, 0.02), 0, scale).judged) << "they may be one artifact";
    for (int i = 0; i < kFewestOthers; ++i) must(book.remember(scored(i, 0.02), kNow_s));
    EXPECT_TRUE(this->book().judge(scored(20, 0.02), 0, scale).judged);
    EXPECT_TRUE(this->book().judge(scored(20, 0.02), 0, scale).honest);
    EXPECT_FALSE(this->book().judge(scored(20, 0.5), 0, scale).honest);
    EXPECT_FALSE(this->book().judge(claim("slice_00.bin", 20), 64 * 64).judged) << "sums and scores are not alike";
}

TEST_F(HoldOutBook, LeavesOutClaimsThatDoNotStandAsLongAsTheyDoNot) {
    HoldOut book = this->book();
    for (int i = 0; i < kFewestOthers; ++i) must(book.remember(claim("slice_00.bin", i), kNow_s));
    book.leave_out({"claim3"});
    EXPECT_FALSE(book.judge(claim("slice_00.bin", 20), 64 * 64).judged);
    EXPECT_EQ(book.candidates_on("slice_00.bin").size(), kFewestOthers - 1U);
    book.leave_out({});
    EXPECT_TRUE(book.judge(claim("slice_00.bin", 20), 64 * 64).judged);
}

TEST_F(HoldOutBook, CommitsToASliceWithoutGivingItsDigestAway) {
    const std::string commitment = book().serving(kNow_s)->commitment;
    EXPECT_EQ(commitment.size(), 64U);
    must(HoldOut::settle(ann_, made_));
    EXPECT_NE(book().serving(kNow_s)->commitment, commitment) << "the same files, another salt";
}

TEST_F(HoldOutBook, TakesFilesForACommandWhoseEvaluatorNamesThem) {
    const std::string folder = world_.path("slices/");
    std::filesystem::create_directories(folder);
    must(write_file_atomically(world_.path("mine.txt"), "secret"));
    must(write_file_atomically(world_.path("more.txt"), "secret too"));
    const std::vector<std::string> sources = {world_.path("mine.txt"), world_.path("more.txt")};
    ann_.task.command.emplace().evaluator.emplace().run = {"sh", "{artifact}", "{validation}"};
    ann_.task.command->evaluator->validation = "files/valid.csv";
    EXPECT_EQ(trouble(copy_hold_out(ann_, sources, folder)).code, Code::usage);
    ann_.task.command->evaluator->run.back() = "--data={hold_out}";
    const HoldOutMade made = must(copy_hold_out(ann_, sources, folder));
    ASSERT_EQ(made.slices.size(), 2U);
    EXPECT_EQ(made.slices[1].name, "slice_01.valid.csv");
    EXPECT_EQ(must(read_file(folder + made.slices[1].name)), "secret too");
    EXPECT_EQ(std::filesystem::status(folder + made.slices[0].name).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_EQ(trouble(copy_hold_out(ann_, {sources[0], sources[0]}, folder)).code, Code::usage);
    ann_.task.command->files.push_back({"files/valid.csv", sha256_hex("secret")});
    EXPECT_EQ(trouble(copy_hold_out(ann_, sources, folder)).code, Code::usage) << "everybody has it";
    EXPECT_EQ(trouble(copy_hold_out(ann_, {world_.path("absent")}, folder)).code, Code::not_found);
    EXPECT_EQ(trouble(copy_hold_out(ann_, {folder}, folder)).code, Code::usage);
}

TEST_F(HoldOutBook, IsEmptyWhereNothingWasImportedAndSaysSoWhenItIsBroken) {
    const Clone bob = world_.found("bob");
    EXPECT_FALSE(must(HoldOut::open(bob)).exists());
    must(write_file_atomically(hold_out_folder(ann_) + "slices.json", "{"));
    EXPECT_EQ(trouble(HoldOut::open(ann_)).code, Code::corrupt);
}

}  // namespace
}  // namespace cultivar
