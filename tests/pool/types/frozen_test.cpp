// Lines that commit 5c6afda wrote (tests/data/frozen-5c6afda/lines), held against the way in which that commit read them.
#include <algorithm>
#include <filesystem>
#include <sstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/types/record.h"
#include "pool/types/verdict.h"
#include "pool/util/file.h"
#include "tests/pool/support/fixture.h"

namespace cultivar {
namespace {

using testing::StartsWith;

std::vector<std::string> lines_of(const std::string& path) {
    std::istringstream text(must(read_file(path)));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

// By the names of the files, like ids.txt; all of one kind by the end of their names.
std::vector<std::string> frozen(const std::string& kind) {
    std::vector<std::string> paths, all;
    for (const auto& entry : std::filesystem::directory_iterator(CULTIVAR_FROZEN "lines")) {
        if (entry.path().string().ends_with(kind + ".jsonl")) paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) {
        for (std::string& line : lines_of(path)) all.push_back(std::move(line));
    }
    return all;
}

// A line is written again as it was, or, where a field is told by a text alone, with that field after what was there.
void expect_written_again(const std::string& line, const std::string& again, bool told_by_a_text) {
    if (told_by_a_text)
        EXPECT_THAT(again, StartsWith(line.substr(0, line.find_last_not_of('}') + 1)));
    else
        EXPECT_EQ(again, line);
}

TEST(FrozenLine, KeepsItsId) {
    const std::vector<std::string> lines = frozen("");
    const std::vector<std::string> ids = lines_of(CULTIVAR_FROZEN "lines/ids.txt");
    ASSERT_EQ(lines.size(), ids.size());
    for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(record_id(lines[i]), ids[i]);
}

TEST(FrozenLine, OfARunWasAskedForByHandIfItsChoiceSaysSo) {
    int by_hand = 0;
    for (const std::string& line : frozen("_runs")) {
        const auto run = std::get<cultivar::Run>(must(parse_line(line)));
        EXPECT_EQ(run.by_hand, run.choice.find("asked for by hand") != std::string::npos) << run.choice;
        by_hand += run.by_hand;
        expect_written_again(line, to_line(run), run.by_hand);
    }
    EXPECT_EQ(by_hand, 9);
}

TEST(FrozenLine, OfAnyOtherRecordIsWrittenAgainAsItWas) {
    for (const auto& [kind, index] : {std::pair{"_claims", 1U}, {"_leases", 2U}, {"_retirements", 3U}}) {
        const std::vector<std::string> lines = frozen(kind);
        EXPECT_GE(lines.size(), 3U) << kind;
        for (const std::string& line : lines) {
            const Record record = must(parse_line(line));
            EXPECT_EQ(record.index(), index);
            EXPECT_EQ(to_line(record), line);
        }
    }
}

TEST(FrozenLine, OfAVerdictHasItsPlanInTheTextOfWhatWasChosen) {
    const std::vector<std::string> lines = frozen("_verdicts");
    EXPECT_EQ(lines.size(), 12U);
    for (const std::string& line : lines) {
        const Verdict verdict = must(parse_verdict(line));
        ASSERT_TRUE(verdict.plan) << verdict.chosen;
        EXPECT_EQ(verdict.plan->extent == AuditExtent::in_full, verdict.chosen.starts_with("in full: "));
        EXPECT_EQ(verdict.plan->rerun_waits, verdict.chosen.ends_with("its rerun waits"));
        EXPECT_GE(verdict.plan->tier, verdict.tier) << verdict.chosen;
        EXPECT_NE(line.find(R"("result":")" + std::string(name(verdict.result)) + '"'), std::string::npos);
        EXPECT_NE(line.find(R"("tier":")" + std::string(name(verdict.tier)) + '"'), std::string::npos);
        expect_written_again(line, to_line(verdict), true);
        EXPECT_EQ(must(parse_verdict(to_line(verdict))).plan, verdict.plan);
    }
}

}  // namespace
}  // namespace cultivar
