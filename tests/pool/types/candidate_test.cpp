#include "pool/types/candidate.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/util/sha256.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const Genes kChanges = {
    {"optim.lr", 1e-4}, {"model.mlp", word("swiglu")}, {"optim.bias", whole(-2)}, {"model.layers", whole(6)}};
constexpr const char* kGolden =
    "model.layers = 6\n"
    "model.mlp = \"swiglu\"\n"
    "optim.bias = -2.0\n"
    "optim.lr = 1e-04\n";

// Ids and seeds computed by Python's hashlib from the definition in pool/types/candidate.h.
TEST(Candidate, HasTheBytesTheIdAndTheSeedsThatItsFormatSays) {
    Candidate candidate = candidate_of(kChanges);
    EXPECT_EQ(candidate.toml, kGolden);
    EXPECT_EQ(candidate.id, "eb126f8e7a28bdc95b9a9065293bddd6");
    EXPECT_EQ(run_seed(candidate.id, 0), 64501935507329u);
    EXPECT_EQ(run_seed(candidate.id, 1), 174190066585505u);
    EXPECT_EQ(run_seed(candidate.id, 7), 252304547318229u);
}

TEST(Candidate, IsEmptyWhenNothingDiffersFromTheDefaults) {
    Candidate plain = candidate_of({});
    EXPECT_EQ(plain.toml, "");
    EXPECT_EQ(plain.id, "c0b6304bd6ce9b3e65150392c91a3aa7");
    EXPECT_EQ(candidate_of({{"optim.lr", 0.04}, {"model.layers", whole(4)}}).id, plain.id);
    EXPECT_EQ(must(parse_canonical(tiny_space(), kTaskId, "")).id, plain.id);
}

TEST(Candidate, ForgetsGenesThatAreNotActive) {
    Candidate candidate = candidate_of({{"model.unique", whole(3)}, {"model.layers", whole(6)}});
    EXPECT_EQ(candidate.toml, "model.layers = 6\n");
    EXPECT_EQ(candidate.genes.at("model.unique"), whole(2));
    EXPECT_EQ(candidate_of({{"model.unique", whole(3)}, {"model.tied", true}}).toml,
              "model.tied = true\nmodel.unique = 3\n");
}

TEST(Candidate, BelongsToItsTask) {
    EXPECT_NE(must(make_candidate(tiny_space(), std::string(64, '8'), kChanges)).id, candidate_of(kChanges).id);
}

TEST(Candidate, ReadsBackFromItsBytesWhateverItsGenes) {
    const Space space = tiny_space();
    std::mt19937_64 random(2);
    auto draw = [&](std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
    };
    int made = 0;
    for (int i = 0; i < 2000; ++i) {
        Genes changes = {{"model.layers", whole(draw(1, 32))},
                         {"model.width", whole(8 * draw(4, 64))},
                         {"model.heads", whole(std::int64_t{1} << draw(0, 3))},
                         {"model.mlp", word(std::vector<std::string>{"relu2", "gelu", "swiglu"}[random() % 3])},
                         {"model.tied", draw(0, 1) == 1},
                         {"model.unique", whole(draw(1, 32))},
                         {"optim.lr", std::pow(10.0, static_cast<double>(draw(-5000, 6000)) / 1000)},
                         {"optim.bias", static_cast<double>(draw(-1000, 1000)) / 100}};
        auto candidate = make_candidate(space, kTaskId, changes);
        if (!candidate) continue;
        ++made;
        Candidate again = must(parse_canonical(space, kTaskId, candidate->toml));
        ASSERT_EQ(again.id, candidate->id) << candidate->toml;
        ASSERT_EQ(again.genes, candidate->genes);
        ASSERT_EQ(candidate->id, sha256_hex(kTaskId + candidate->toml).substr(0, 32));
    }
    EXPECT_GT(made, 500);
}

TEST(Candidate, IsRefusedFromAPoolWhenItIsNotCanonicalToTheByte) {
    const char* cases[] = {
        "# a comment\nmodel.layers = 6\n",         // comments
        "model.layers = 6",                        // no line feed
        "model.layers = 6\n\n",                    // a blank line
        "model.layers=6\n",                        // spaces
        "model.layers  = 6\n",                     //
        "model.layers = 6\r\n",                    // line ends
        "\xef\xbb\xbfmodel.layers = 6\n",          // a mark
        "optim.lr = 0.1\nmodel.layers = 6\n",      // order
        "[model]\nlayers = 6\n",                   // tables
        "\"model\".layers = 6\n",                  // quoted keys
        "\"model.layers\" = 6\n",                  //
        "model.layers = 4\n",                      // a default
        "model.unique = 3\n",                      // an inactive gene
        "model.layers = 0x6\n",                    // another form of the number
        "model.layers = +6\n",                     //
        "optim.lr = 1.0e-04\n",                    //
        "optim.lr = 0.0001\n",                     //
        "optim.lr = 1E-04\n",                      //
        "optim.bias = 3\n",                        //
        "optim.bias = -0.0\n",                     //
        "optim.lr = 0.10000000000000000000001\n",  //
        "model.mlp = 'gelu'\n",                    // another form of the word
        "model.mlp = \"g\\u0065lu\"\n",            //
        "model.layers = 6\nmodel.layers = 6\n",    // a key twice
        "model.layers = 6\n\"model.layers\" = 7\n",
        "[files]\n\"a.py\" = \"00\"\n",         // source
        "[files]\n",                            //
        "model.layerz = 6\n",                   // unknown
        "model.layers = 99\n",                  // out of range
        "model.layers = [6]\n",                 // a list
        "model.heads = 8\nmodel.width = 40\n",  // against a constraint
    };
    for (const char* toml : cases) {
        auto candidate = parse_canonical(tiny_space(), kTaskId, toml);
        ASSERT_FALSE(candidate) << toml;
        EXPECT_EQ(candidate.error().code, Code::corrupt) << toml;
    }
    std::string large = "model.layers = 6\n#" + std::string(kMaxCandidateBytes, 'x');
    EXPECT_EQ(trouble(parse_canonical(tiny_space(), kTaskId, large)).code, Code::corrupt);
}

TEST(Candidate, MayBeWrittenByAPersonInAnyForm) {
    Candidate candidate = must(read_candidate(tiny_space(), kTaskId,
                                              "# mine\noptim = { lr = 0.0001, bias = -2 }\n\n[model]\nmlp = 'swiglu'\n"
                                              "layers = 0x6\nwidth = 128\n",
                                              "mine.toml"));
    EXPECT_EQ(candidate.toml, kGolden);
}

TEST(Candidate, SaysWhereAPersonWentWrong) {
    auto message = [](const char* toml) {
        Error error = trouble(read_candidate(tiny_space(), kTaskId, toml, "seeds/small.toml"));
        EXPECT_EQ(error.code, Code::usage);
        return error.message;
    };
    EXPECT_EQ(message("[model]\nlayerz = 6\n"),
              "seeds/small.toml:2:10: unknown gene 'model.layerz', did you mean 'model.layers'?");
    EXPECT_THAT(message("[model]\n\n   layers = 99\n"),
                StartsWith("seeds/small.toml:3:13: 'model.layers' = 99 is out"));
    EXPECT_THAT(message("model.mlp = [\"gelu\"]\n"), HasSubstr("'model.mlp' is a list"));
    EXPECT_THAT(message("[files]\n\"a.py\" = \"00\"\n"), HasSubstr("lets no candidate bring files"));
    EXPECT_THAT(message("model.heads = 8\nmodel.width = 40\n"), HasSubstr("not a multiple of 2 x"));
}

TEST(GeneChange, CountsInactiveGenesAsAbsent) {
    Candidate before = candidate_of({{"optim.lr", 0.1}});
    Candidate after = candidate_of({{"model.tied", true}, {"model.mlp", word("gelu")}});
    EXPECT_EQ(
        change_text(gene_changes(tiny_space(), before.genes, after.genes)),
        "model.mlp \"relu2\" -> \"gelu\", model.tied false -> true, model.unique unset -> 2, optim.lr 0.1 -> 0.04");
    EXPECT_EQ(change_text(gene_changes(tiny_space(), after.genes, after.genes)), "nothing");
}

}  // namespace
}  // namespace cultivar
