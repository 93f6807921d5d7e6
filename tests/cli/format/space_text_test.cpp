#include "cli/format/space_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cultivar {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Gene gene(std::string name, GeneType type, Value value) {
    Gene made;
    made.name = std::move(name);
    made.type = type;
    made.default_value = std::move(value);
    made.help = "what " + made.name + " does";
    return made;
}

// One gene of every kind.
Space space() {
    Gene layers = gene("model.layers", GeneType::integer, std::int64_t{4});
    layers.low = 1, layers.high = 32, layers.unit = "blocks", layers.structural = true;
    Gene sharing = gene("model.sharing", GeneType::choice, std::string("none"));
    sharing.choices = {"none", "cyclic", "mirrored"};
    Gene unique = gene("model.unique", GeneType::integer, std::int64_t{2});
    unique.low = 1, unique.high = 8;
    unique.when = Condition{"model.sharing", {std::string("cyclic"), std::string("mirrored")}};
    Gene rate = gene("optim.lr", GeneType::real, 0.04);
    rate.low = 0.001, rate.high = 1, rate.log_scale = true, rate.help = "c*tanh(z/c)", rate.since = 2;
    Gene buckets = gene("model.buckets", GeneType::integer, std::int64_t{0});
    buckets.levels = {0, 512, 1024, 2048, 4096, 8192};
    buckets.low = 0, buckets.high = 8192;
    Gene size = gene("model.bucket_width", GeneType::integer, std::int64_t{64});
    size.low = 8, size.high = 512, size.multiple_of = 8, size.log_scale = true;
    size.when = Condition{"model.buckets", {std::int64_t{512}, std::int64_t{2048}}};
    Gene tied = gene("model.tied", GeneType::boolean, true);
    Gene spread = gene("model.spread", GeneType::real, 0.5);
    spread.low = 0, spread.high = 1, spread.when = Condition{"model.tied", {true}};
    return Space::make({layers, sharing, unique, rate, buckets, size, tied, spread},
                       {{Constraint::Kind::at_most, "model.unique", "model.layers", 1},
                        {Constraint::Kind::multiple, "model.bucket_width", "model.layers", 2}})
        .value();
}

std::vector<const Gene*> all(const Space& space) {
    std::vector<const Gene*> genes;
    for (const Gene& gene : space.genes()) genes.push_back(&gene);
    return genes;
}

struct PlainUi : Ui {
    PlainUi() { configure({.color = Color::never}); }
};

TEST(GeneText, TellsWhenAGeneIsActiveInTheFewestWords) {
    const Space genes = space();
    const auto when = [&](const char* name) { return condition_text(genes, *genes.find(name)); };
    EXPECT_EQ(when("model.layers"), "");
    EXPECT_EQ(when("model.unique"), "model.sharing != none");
    EXPECT_EQ(when("model.bucket_width"), "model.buckets = 512 or 2048");
    EXPECT_EQ(when("model.spread"), "model.tied = true");
}

TEST(GeneText, IsATableForEachPartAndThenTheConstraints) {
    const Space genes = space();
    const std::string table = space_table(PlainUi(), genes,
                                          {genes.find("model.layers"), genes.find("model.unique"),
                                           genes.find("optim.lr"), genes.find("model.bucket_width")});
    EXPECT_EQ(table,
              "model\n"
              "gene                type     default  range                       unit    only if                      "
              "help\n"
              "model.layers        integer  4        1..32                       blocks  -                            "
              "what model.layers does\n"
              "model.unique        integer  2        1..8                        -       model.sharing != none        "
              "what model.unique does\n"
              "model.bucket_width  integer  64       8..512 in steps of 8 (log)  -       model.buckets = 512 or 2048  "
              "what model.bucket_width does\n"
              "\n"
              "optim\n"
              "gene      type  default  range             unit  only if  help\n"
              "optim.lr  real  0.04     0.001..1.0 (log)  -     -        c*tanh(z/c)\n"
              "\n"
              "constraints\n"
              "model.unique is at most model.layers\n"
              "model.bucket_width is a multiple of 2 x model.layers\n");
    EXPECT_THAT(space_table(PlainUi(), genes, {genes.find("model.unique")}), Not(HasSubstr("constraints")));
}

TEST(GeneText, TellsEverythingOfOneGene) {
    const Space genes = space();
    EXPECT_EQ(gene_in_full(PlainUi(), genes, *genes.find("model.sharing")),
              "model.sharing\n"
              "  help        what model.sharing does\n"
              "  type        choice\n"
              "  default     none\n"
              "  range       none, cyclic, mirrored\n"
              "  switches    model.unique, if model.sharing != none\n");
    EXPECT_THAT(gene_in_full(PlainUi(), genes, *genes.find("model.layers")), HasSubstr("integer, structural"));
    EXPECT_THAT(gene_in_full(PlainUi(), genes, *genes.find("model.layers")),
                HasSubstr("  constraint  model.unique is at most model.layers\n"));
    EXPECT_THAT(gene_in_full(PlainUi(), genes, *genes.find("optim.lr")), HasSubstr("  since       widening 2"));
}

TEST(GeneText, IsJsonWithTheWordsOfPoolToml) {
    const Space genes = space();
    const Json json = space_json(genes, all(genes));
    ASSERT_EQ(json["genes"].size(), 8u);
    EXPECT_EQ(json["genes"][0], Json::parse(R"({"name":"model.layers","type":"integer","default":4,"range":[1,32],
        "log":false,"multiple_of":1,"levels":null,"choices":null,"unit":"blocks","when":null,"equals":null,
        "structural":true,"since":0,"help":"what model.layers does"})"));
    EXPECT_EQ(json["genes"][2]["when"], "model.sharing");
    EXPECT_EQ(json["genes"][2]["equals"], (Json{"cyclic", "mirrored"}));
    EXPECT_EQ(json["genes"][3]["range"], (Json{0.001, 1.0}));
    EXPECT_EQ(json["genes"][4]["levels"].size(), 6u);
    EXPECT_EQ(json["genes"][6]["range"], nullptr);
    EXPECT_EQ(json["genes"][6]["default"], true);
    EXPECT_EQ(json["constraints"][1], Json::parse(R"({"kind":"multiple","left":"model.bucket_width",
                                                      "right":"model.layers","factor":2})"));
}

TEST(GeneText, IsAManualPageInWhichNothingIsTakenForMarkup) {
    const std::string page = genes_page(space());
    EXPECT_THAT(page, HasSubstr("cultivar-genes(7)\n\n# NAME\n"));
    EXPECT_THAT(page, HasSubstr("*model.layers* (integer, 4 blocks)\n"
                                "\tWhat model.layers does. Range 1..32. Structural.\n"));
    EXPECT_THAT(page, HasSubstr("*optim.lr* (real, 0.04)\n\tC\\*tanh(z/c). Range 0.001..1.0 (log).\n"));
    EXPECT_THAT(page, HasSubstr("Range 1..8. Only if model.sharing != none.\n"));
    EXPECT_THAT(page, HasSubstr("One of none, cyclic, mirrored.\n"));
    EXPECT_THAT(page, HasSubstr("\n# OPTIM\n"));
    EXPECT_THAT(page, HasSubstr("- model.unique is at most model.layers\n"));
}

}  // namespace
}  // namespace cultivar
