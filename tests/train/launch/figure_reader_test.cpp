#include "train/launch/figure_reader.h"

#include <filesystem>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eval/support/temp_folder.h"

namespace cultivar {
namespace {

using Fault = Figures::Fault;
using testing::HasSubstr;

PoolCommand scored_by(FigureRule rule) {
    PoolCommand command;
    command.format = 2;
    command.score = std::move(rule);
    return command;
}
FigureRule regex(const std::string& text, FigureRule::Take take = FigureRule::Take::last) {
    return {FigureRule::Kind::regex, take, text, "", false};
}
FigureRule metric(const std::string& name) {
    return {FigureRule::Kind::metric_line, FigureRule::Take::only, name, "", false};
}
FigureRule json(const std::string& key) {
    return {FigureRule::Kind::json_file, FigureRule::Take::last, "result.json", key, false};
}

FigureReader reader(const PoolCommand& command) {
    auto made = FigureReader::make(command);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return std::move(*made);
}

Figures figures(const FigureRule& rule, const std::vector<std::string>& lines, bool from_errors = false) {
    FigureReader reads = reader(scored_by(rule));
    for (const std::string& line : lines) reads.take_line(line, from_errors);
    return reads.finish("/nowhere/");
}

TEST(FigureReader, TakesTheLastMatchOfAnExpressionOrTheFirst) {
    const std::vector<std::string> lines = {"epoch 1 accuracy: 0.5", "epoch 2 accuracy: 9.3e-1", "done"};
    EXPECT_EQ(figures(regex("accuracy: ([0-9.eE+-]+)"), lines).score, 0.93);
    EXPECT_EQ(figures(regex("accuracy: ([0-9.eE+-]+)", FigureRule::Take::first), lines).score, 0.5);
}

TEST(FigureReader, ReadsMetricLinesByTheirNameAlone) {
    EXPECT_EQ(figures(metric("loss"), {"METRIC loss_total=3", "METRIC size=4", "  METRIC loss = 0.25 "}).score, 0.25);
    EXPECT_EQ(figures(metric("loss"), {"METRIC loss=-1.5e-7"}).score, -1.5e-7);
    EXPECT_EQ(figures(metric("loss"), {"loss=0.25"}).fault, Fault::no_score);
}

TEST(FigureReader, ReadsTheStreamThatTheTaskNames) {
    FigureRule rule = metric("loss");
    rule.from_errors = true;
    EXPECT_EQ(figures(rule, {"METRIC loss=1"}, true).score, 1.0);
    EXPECT_EQ(figures(rule, {"METRIC loss=1"}, false).fault, Fault::no_score);
}

TEST(FigureReader, SaysWhyThereIsNoScore) {
    EXPECT_THAT(figures(regex("loss: ([0-9.]+)"), {"los: 3"}).message,
                HasSubstr("no line of its standard output matches"));
    const Figures several = figures(metric("loss"), {"METRIC loss=1", "METRIC loss=2"});
    EXPECT_EQ(several.fault, Fault::several_scores);
    EXPECT_THAT(several.message, HasSubstr("2 lines METRIC loss"));
    for (const char* text : {"nan", "NaN", "-inf", "1e999"})
        EXPECT_EQ(figures(regex("loss: (\\S+)"), {std::string("loss: ") + text}).fault, Fault::not_finite) << text;
    EXPECT_EQ(figures(regex("loss: (\\S+)"), {"loss: 1e13"}).fault, Fault::unreadable);  // more than a record holds
    EXPECT_EQ(figures(regex("loss: (\\S+)"), {"loss: 0,36"}).fault, Fault::unreadable);
    EXPECT_FALSE(figures(regex("loss: (\\S+)"), {"loss: 0,36"}).score);
}

TEST(FigureReader, RoundsAFigureToTheNearestThatThereIs) {
    for (const char* text : {"1e-5000", "-1e-5000", "+1e-400"}) {
        const Figures found = figures(regex("loss: (\\S+)"), {std::string("loss: ") + text});
        EXPECT_EQ(found.score, 0) << text << ": " << found.message;
    }
    TempFolder folder;
    folder.write("result.json", R"({"a": 1e-5000})");
    EXPECT_EQ(reader(scored_by(json("a"))).finish(folder.file("")).score, 0);
}

TEST(FigureReader, ReadsAKeyOfAJsonFile) {
    TempFolder folder;
    auto finish = [&](const std::string& key) { return reader(scored_by(json(key))).finish(folder.file("")); };
    EXPECT_THAT(finish("a").message, HasSubstr("it left no file 'result.json'"));
    folder.write("result.json", R"({"test": {"accuracy": 0.875, "word": "x"}, "n": null})");
    EXPECT_EQ(finish("test.accuracy").score, 0.875);
    EXPECT_EQ(finish("test.word").fault, Fault::unreadable);
    EXPECT_EQ(finish("n").fault, Fault::not_finite);
    EXPECT_EQ(finish("test.loss").fault, Fault::no_score);
    folder.write("result.json", "{\"test\": NaN}");
    EXPECT_EQ(finish("test").fault, Fault::unreadable);
}

TEST(FigureReader, FollowsNoLinkAndWaitsForNoPipe) {
    TempFolder folder;
    const std::string secret = folder.write("secret.json", R"({"a": 1})");
    std::filesystem::create_symlink(secret, folder.file("result.json"));
    EXPECT_EQ(reader(scored_by(json("a"))).finish(folder.file("")).fault, Fault::no_score);
    std::filesystem::remove(folder.file("result.json"));
    ASSERT_EQ(::mkfifo(folder.file("result.json").c_str(), 0600), 0);
    EXPECT_EQ(reader(scored_by(json("a"))).finish(folder.file("")).fault, Fault::no_score);
}

TEST(FigureReader, MatchesHostileLinesInLinearTime) {
    const Figures found =
        figures(regex("(?:a+)+b([0-9])"), {std::string(60'000, 'a')});  // backtracking would take 2^60000
    EXPECT_EQ(found.fault, Fault::no_score);
}

TEST(FigureReader, TellsProgressByStepAndRunningScore) {
    PoolCommand command = scored_by(metric("loss"));
    command.progress = regex("step ([0-9]+) loss ([0-9.]+)");
    FigureReader reads = reader(command);
    EXPECT_FALSE(reads.take_line("warming up", false));
    const auto progress = reads.take_line("step 30 loss 1.25", false);
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->step, 30);
    EXPECT_EQ(progress->score, 1.25);
}

TEST(FigureReader, FindsFurtherMetricsAndDoesWithoutThem) {
    PoolCommand command = scored_by(metric("loss"));
    command.metrics = {{"bytes", metric("bytes")}, {"depth", metric("depth")}};
    FigureReader reads = reader(command);
    for (const char* line : {"METRIC loss=1", "METRIC bytes=4096"}) reads.take_line(line, false);
    EXPECT_THAT(reads.finish("/").metrics, testing::ElementsAre(testing::Pair("bytes", 4096.0)));
}

TEST(FigureReader, RefusesExpressionsThatCannotGiveOneFigure) {
    auto complaint = [](const std::string& text) { return check_rules(scored_by(regex(text))).error().message; };
    EXPECT_THAT(complaint("loss: [0-9"), HasSubstr("missing ]"));
    EXPECT_THAT(complaint("loss: [0-9]+"), HasSubstr("has 0 groups"));
    EXPECT_THAT(complaint("(loss): ([0-9]+)"), HasSubstr("has 2 groups"));
    EXPECT_TRUE(check_rules(scored_by(regex("(?:loss): ([0-9]+)"))));
}

}  // namespace
}  // namespace cultivar
