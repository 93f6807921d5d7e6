#include "train/lm/space/lm_search_space.h"

#include <gmock/gmock.h>

#include "pool/types/candidate.h"

namespace cultivar {
namespace {

Space space() { return Space::make(lm_genes(), lm_constraints()).value(); }

TEST(Genes, MakeASearchSpaceThatChecks) {
    const auto made = Space::make(lm_genes(), lm_constraints());
    ASSERT_TRUE(made) << made.error().message;
    const auto defaults = made->complete({});
    ASSERT_TRUE(defaults);
    EXPECT_TRUE(made->check(*defaults));
}

TEST(Genes, HaveOneLineOfHelpEach) {
    for (const Gene& gene : lm_genes()) {
        EXPECT_FALSE(gene.help.empty()) << gene.name;
        EXPECT_EQ(gene.help.find('\n'), std::string::npos) << gene.name;
    }
}

TEST(Seeds, AreCandidatesOfTheSpace) {
    for (const auto& [name, toml] : lm_seeds()) {
        const auto candidate = read_candidate(space(), std::string(64, '0'), toml, name);
        EXPECT_TRUE(candidate) << name << ": " << candidate.error().message;
    }
}

TEST(Seeds, BaselineIsEveryDefaultAndLaptopItsNarrowVariant) {
    std::map<std::string, Candidate> seeds;
    for (const auto& [name, toml] : lm_seeds()) {
        seeds[name] = read_candidate(space(), std::string(64, '0'), toml, name).value();
    }
    EXPECT_EQ(seeds["baseline"].toml, "");
    EXPECT_EQ(seeds["laptop"].toml,
              "data.tokens_per_step = 16384\nmodel.kv_heads = 2\nmodel.layers = 14\nmodel.width = 416\n");
    EXPECT_EQ(std::get<std::int64_t>(seeds["small"].genes.at("schedule.warmdown_steps")), 1200);
}

TEST(Genes, CanExpressTheWinnerOfPullRequest597) {
    const auto winner = read_candidate(space(), std::string(64, '0'), R"(
        [model]
        layers = 8
        sharing = "mirrored"
        unique_layers = 4
        mlp = "swiglu"
        logit_softcap = 50
        [optim]
        tied_embed_lr = 0.06
        matrix_lr = 0.05
        scalar_lr = 0.05
        muon_momentum = 0.90
        muon_momentum_warmup_steps = 200
        muon_steps = 6
        grad_clip = 1
        [schedule]
        warmdown_steps = 3200
        [data]
        tokens_per_step = 8192
        seq_len = 256
    )",
                                       "winner");
    ASSERT_TRUE(winner) << winner.error().message;
    EXPECT_TRUE(space().check(winner->genes));
}

TEST(Genes, RefuseHeadsOfOddSizeAndStepsThatCutASequence) {
    const auto check = [](Genes changes) { return space().check(space().complete(changes).value()).has_value(); };
    EXPECT_TRUE(check({{"model.width", std::int64_t{416}}}));
    EXPECT_FALSE(check({{"model.width", std::int64_t{520}}}));                                    // 65 per head
    EXPECT_FALSE(check({{"model.heads", std::int64_t{6}}, {"model.width", std::int64_t{384}}}));  // 4 kv heads
    EXPECT_FALSE(check({{"data.seq_len", std::int64_t{4096}}, {"data.tokens_per_step", std::int64_t{2048}}}));
    EXPECT_FALSE(check({{"model.sharing", std::string("cyclic")}, {"model.layers", std::int64_t{3}}}));
}

}  // namespace
}  // namespace cultivar
