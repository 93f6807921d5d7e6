#include "pool/storage/segment_log.h"
#include "pool/git/sshsig.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/git/signing_key.h"
#include "pool/types/record.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::HasSubstr;

const std::string kRef = "refs/heads/journal/ann.machine.01234567";

std::vector<std::string> lines(int from, int to) {
    std::vector<std::string> made;
    for (int i = from; i < to; ++i) made.push_back(fmt::format("{{\"n\":{}}}", i));
    return made;
}

std::string text(int from, int to) { return fmt::format("{}\n", fmt::join(lines(from, to), "\n")); }

class SegmentLogTest : public ::testing::Test {
protected:
    SegmentLogTest()
        : path_(folder_.file("r")),
          repo_(must(Repo::create(path_, true))),
          key_(must(Key::load_or_create(path_ + "/k"))) {}

    Oid append(int from, int to) {
        return must(append_log(repo_, kRef, lines(from, to), {"ann", "ann@example.org", 1795232400}, key_));
    }
    Oid by_hand(const std::vector<std::pair<std::string, std::string>>& files, const Oid& parent = "",
                const std::string& mode = "100644") {
        return commit_by_hand(path_, "refs/heads/hand", files, parent, mode);
    }
    std::string refusal(const Oid& tip) {
        Error error = trouble(read_log(repo_, tip, 0));
        EXPECT_EQ(error.code, Code::corrupt);
        return error.message;
    }

    TempFolder folder_;
    std::string path_;
    Repo repo_;
    Key key_;
};

TEST_F(SegmentLogTest, FillsSegmentsOfOneHundredAcrossPushes) {
    int at = 0;
    for (int count : {1, 98, 1, 1, 99, 250, 50}) {
        append(at, at + count);
        at += count;
    }
    Oid tip = *must(repo_.ref(kRef));
    EXPECT_EQ(must(read_log(repo_, tip, 0)), lines(0, 500));
    EXPECT_EQ(git(path_, "ls-tree -r --name-only " + tip),
              "seg/000000.jsonl\nseg/000001.jsonl\nseg/000002.jsonl\nseg/000003.jsonl\nseg/000004.jsonl\n");
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(git(path_, fmt::format("show {}:seg/{:06}.jsonl", tip, i)), text(100 * i, 100 * i + 100));
    EXPECT_EQ(git(path_, "rev-list --count " + tip), "7\n");
    EXPECT_EQ(git(path_, "log --format=%s -1 " + tip + "~6"), "1 record\n");
}

TEST_F(SegmentLogTest, IsReadFromAnyRecordOn) {
    Oid tip = append(0, 230);
    for (int from : {0, 1, 99, 100, 101, 199, 200, 229, 230})
        EXPECT_EQ(must(read_log(repo_, tip, static_cast<std::size_t>(from))), lines(from, 230)) << from;
    EXPECT_TRUE(must(read_log(repo_, tip, 1000)).empty());
}

// Full segments are deleted from the disk, so a read of anything but new segments fails.
TEST_F(SegmentLogTest, TouchesOnlyTheSegmentsThatAreNew) {
    Oid before = append(0, 250), after = append(250, 320);
    for (const char* old : {"000000", "000001"}) {
        std::string oid = git(path_, fmt::format("rev-parse {}:seg/{}.jsonl", kRef, old)).substr(0, 40);
        std::filesystem::remove(path_ + "/.git/objects/" + oid.substr(0, 2) + "/" + oid.substr(2));
    }
    Repo again = must(Repo::discover(path_));
    EXPECT_EQ(must(read_log(again, before, 200)), lines(200, 250));
    EXPECT_FALSE(read_log(again, before, 199));
    EXPECT_EQ(must(read_log(again, after, 250)), lines(250, 320));
    EXPECT_TRUE(check_extends(again, before, 250, after));
}

TEST_F(SegmentLogTest, RefusesALogThatNamesOneFileTwice) {
    EXPECT_EQ(refusal(by_hand({{"seg/000000.jsonl", text(0, 100)}, {"seg/000001.jsonl", text(0, 100)}})),
              "a log names one file under two names");
}

// The blobs are deleted from the disk once their sizes are known: only headers of what is there could be read.
TEST_F(SegmentLogTest, RefusesALogByItsSizesAlone) {
    std::vector<TreeEntry> segments;
    const std::string large = std::string(kMaxSegmentBytes - 8, 'x');
    for (int i = 0; i < 33; ++i)
        segments.push_back(
            {fmt::format("{:06}.jsonl", i), must(repo_.write_blob(large + std::to_string(i))), false, true});
    const Oid folder = must(repo_.write_tree(segments)), tree = must(repo_.write_tree({{"seg", folder, true, false}}));
    const Oid tip = must(repo_.write_commit({tree, {}, {"ann", "ann@example.org", 1}, "x\n"}, &key_));
    const Error error = trouble(OpenLog::open(repo_, tip));
    EXPECT_EQ(error.reason, Reason::too_large);
    EXPECT_THAT(error.message, HasSubstr("a log has"));
}

TEST_F(SegmentLogTest, ReadsOneSegmentAtATimeAndStopsWhenToldTo) {
    const Oid tip = append(0, 450);
    const OpenLog log = must(OpenLog::open(repo_, tip));
    EXPECT_EQ(log.bytes_from(0), static_cast<std::int64_t>(text(0, 450).size()));
    EXPECT_EQ(log.bytes_from(420), static_cast<std::int64_t>(text(400, 450).size()));
    EXPECT_EQ(log.bytes_from(9000), 0);
    std::vector<std::string> read;
    must(log.each(150, [&](const LogSegment& segment) -> Result<bool> {
        read.insert(read.end(), segment.lines.begin(), segment.lines.end());
        return read.size() < 200;
    }));
    EXPECT_EQ(read, lines(150, 400));
}

TEST_F(SegmentLogTest, SignsEveryCommitWithTheWritersKey) {
    for (const Oid& tip : {append(0, 1), append(1, 2)}) {
        auto signature = must(repo_.signature(tip));
        ASSERT_TRUE(signature);
        EXPECT_EQ(must(verify_signature(signature->first, signature->second)), key_.fingerprint());
    }
}

TEST_F(SegmentLogTest, MayOnlyGrow) {
    Oid one = append(0, 150), two = append(150, 150 + 120);
    EXPECT_TRUE(check_extends(repo_, one, 150, one));
    EXPECT_TRUE(check_extends(repo_, one, 150, two));
    auto refused = [&](const Oid& next) { return trouble(check_extends(repo_, one, 150, next)).message; };
    EXPECT_EQ(trouble(check_extends(repo_, two, 270, one)).message, "was rewound");
    Oid stranger = by_hand({{"seg/000000.jsonl", text(0, 100)}, {"seg/000001.jsonl", text(100, 180)}});
    EXPECT_EQ(refused(stranger), "was rewound");
    const std::string full = text(0, 100);
    std::string edited = full;
    edited.replace(edited.find("{\"n\":7}"), 7, "{\"n\":8}");
    EXPECT_TRUE(check_extends(repo_, one, 150,
                              by_hand({{"seg/000000.jsonl", full}, {"seg/000001.jsonl", text(100, 151)}}, one)));
    EXPECT_EQ(refused(by_hand({{"seg/000000.jsonl", edited}, {"seg/000001.jsonl", text(100, 160)}}, one)),
              "was rewritten");
    EXPECT_EQ(refused(by_hand({{"seg/000000.jsonl", full}, {"seg/000001.jsonl", text(101, 160)}}, one)),
              "was rewritten");
    EXPECT_EQ(refused(by_hand({{"seg/000000.jsonl", full}, {"seg/000001.jsonl", text(100, 149)}}, one)),
              "was rewritten");
    EXPECT_EQ(refused(by_hand({{"seg/000000.jsonl", full}}, one)), "was rewritten");
}

TEST_F(SegmentLogTest, RefusesTreesOfAnyOtherForm) {
    const std::string full = text(0, 100), some = text(100, 110);
    EXPECT_TRUE(read_log(repo_, by_hand({{"seg/000000.jsonl", full}, {"seg/000001.jsonl", some}}), 0));
    EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", full}, {"README", "x"}})), HasSubstr("something else than seg/"));
    EXPECT_THAT(refusal(by_hand({{"seg", full}})), HasSubstr("something else than seg/"));
    EXPECT_THAT(refusal(by_hand({{"log/000000.jsonl", full}})), HasSubstr("something else than seg/"));
    for (const char* name : {"seg/000001.jsonl", "seg/0.jsonl", "seg/000000.json", "seg/000000.jsonl/x"})
        EXPECT_THAT(refusal(by_hand({{name, full}})), HasSubstr("consecutive plain files")) << name;
    EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", full}, {"seg/000002.jsonl", some}})), HasSubstr("consecutive"));
    for (const char* mode : {"100755", "120000"})
        EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", full}}, "", mode)), HasSubstr("plain files"));
    EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", ""}})), HasSubstr("wrong size"));
    EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", text(0, 101)}})), HasSubstr("wrong size"));
    EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", "{\"n\":0}"}})), HasSubstr("line feed"));
    EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", text(0, 99)}, {"seg/000001.jsonl", some}})),
                HasSubstr("left before"));
    EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", std::string(kMaxRecordBytes + 1, 'x') + "\n"}})),
                HasSubstr("too long"));
    EXPECT_THAT(refusal(by_hand({{"seg/000000.jsonl", std::string(kMaxSegmentBytes + 1, '\n')}})),
                HasSubstr("more than"));
    EXPECT_FALSE(read_log(repo_, std::string(40, '0'), 0));
}

TEST_F(SegmentLogTest, RefusesAnEmptyFolderOfSegments) {
    std::string empty = git(path_, "hash-object -t tree -w /dev/null").substr(0, 40);
    folder_.write("tree", "040000 tree " + empty + "\tseg\n");
    std::string tree = git(path_, "mktree < " + folder_.file("tree")).substr(0, 40);
    std::string commit = git(path_, "commit-tree " + tree + " -m empty").substr(0, 40);
    EXPECT_FALSE(read_log(repo_, commit, 0));
    ASSERT_TRUE(repo_.set_ref(kRef, commit, ""));
    EXPECT_EQ(trouble(append_log(repo_, kRef, lines(0, 1), {"ann", "ann@example.org", 1}, key_)).code, Code::corrupt);
}

}  // namespace
}  // namespace cultivar
