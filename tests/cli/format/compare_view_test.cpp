#include "cli/format/compare_view.h"

#include "cli/format/boamps.h"
#include "tests/energy/compare/arms.h"

namespace cultivar {
namespace {

class CompareViewTest : public ::testing::Test {
protected:
    CompareViewTest() {
        const RunSpec spec{.meter = "estimated at one", .error = 1};
        report_.arms[0] = simple_arm({100, 110}, spec);
        report_.arms[1] = simple_arm({200, 190}, spec);
        report_.arms[0].name = "one|\x1b[31m" + std::string(60, 'x');
        report_.comparison = compare_arms(report_.arms[0], report_.arms[1], {TargetKind::score, 5}, factors_).value();
        report_.metric = "loss";
    }

    const Factors factors_{{constant(FactorKind::carbon_average, Range::exactly(400), "g/kWh")}};
    CompareReport report_{};
};

TEST_F(CompareViewTest, TablesFitEightyColumns) {
    const std::string text = compare_text(Ui(), report_);
    for (std::size_t from = 0, to = 0; to != std::string::npos; from = to + 1) {
        to = text.find('\n', from);
        EXPECT_LE(characters(text.substr(from, to - from)), 80) << text.substr(from, to - from);
    }
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(text.find("carbon, gross, marginal: no factor"), std::string::npos) << text;
    EXPECT_NE(text.find("to the verified score 5"), std::string::npos);
}

TEST_F(CompareViewTest, AnUnknownFactorIsNoZero) {
    const Json json = compare_json(report_);
    EXPECT_EQ(json["schema"], 1);
    ASSERT_EQ(json["accountings"].size(), 8);
    const Json& marginal = json["accountings"][4];
    EXPECT_EQ(marginal["grid"], "marginal");
    EXPECT_TRUE(marginal["ratio"].is_null());
    EXPECT_TRUE(marginal["means"][0].is_null());
    EXPECT_EQ(marginal["doubt"], "no factor");
    EXPECT_TRUE(json["arms"][0]["repeats"][0]["water_on_site_l"].is_null());
    EXPECT_TRUE(json["arms"][0]["repeats"][0]["network_bytes"].is_null());
}

TEST_F(CompareViewTest, MarkdownEscapesForeignBars) {
    const std::string text = compare_markdown(report_);
    EXPECT_NE(text.find("one\\|"), std::string::npos);
    EXPECT_NE(text.find("| energy, above idle |"), std::string::npos);
}

TEST_F(CompareViewTest, ASentenceNamesItsReason) {
    Judged judged{.accounting = {Measure::energy, kGross}};
    judged.doubt = Doubt::chance, judged.more = 7;
    EXPECT_EQ(sentence(judged), "energy, gross: cannot say; 7 more repeats of each arm would tell");
    judged.finding = Finding::lower;
    EXPECT_EQ(sentence(judged), "energy, gross: the first arm is lower");
}

// The fields that model/report_schema.json of Boavizta/BoAmps and the schemas below it require.
TEST_F(CompareViewTest, BoampsHasWhatTheFormatRequires) {
    const Json json = boamps_json(report_, 0, {"language modelling", "transformer", "token", "0.1.0"}, kNewYear_s);
    for (const char* key : {"task", "measures", "infrastructure"}) EXPECT_TRUE(json.contains(key)) << key;
    EXPECT_EQ(json["header"]["reportDatetime"], "2026-01-01 00:00:00");
    EXPECT_EQ(json["header"]["publisher"]["confidentialityLevel"], "internal");
    for (const char* key : {"taskStage", "taskFamily", "algorithms", "dataset"})
        EXPECT_TRUE(json["task"].contains(key));
    EXPECT_EQ(json["task"]["dataset"][0]["dataUsage"], "input");
    EXPECT_EQ(json["task"]["dataset"][0]["dataType"], "token");
    ASSERT_EQ(json["measures"].size(), 1);
    EXPECT_TRUE(json["measures"][0]["measurementMethod"].is_string());
    EXPECT_NEAR(json["measures"][0]["powerConsumption"].get<double>(), 210 / 3.6e6, 1e-15);
    EXPECT_TRUE(json["system"]["os"].is_string());
    EXPECT_TRUE(json["software"]["language"].is_string());
    EXPECT_EQ(json["infrastructure"]["infraType"], "other");
    ASSERT_TRUE(json["infrastructure"]["components"].is_array());
    EXPECT_TRUE(json["infrastructure"]["components"][0]["componentType"].is_string());
    EXPECT_EQ(json["infrastructure"]["components"][0]["nbComponent"], 1);
    EXPECT_EQ(json["environment"]["country"], "GB");
    EXPECT_EQ(json["quality"], "low");
    EXPECT_EQ(boamps_file("a/report.json", 1), "a/report-2.json");
}

}  // namespace
}  // namespace cultivar
