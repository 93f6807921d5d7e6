#include "pool/clone/journal.h"

#include <csignal>
#include <filesystem>
#include <set>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/storage/segment_log.h"
#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// (Inside a TEST, Clone is fine but Run is gtest's.)
Lease lease(const Clone& clone, int replicate) {
    return {clone.task_id, std::string(32, 'a'), "cpu-20s-e10.5", 20, replicate, clone.writer, "2026-11-21T04:00:00Z"};
}

class JournalTest : public ::testing::Test {
protected:
    JournalTest() : clone_(world_.found("ann")) {}

    std::string spool_path() const { return clone_.state_dir + "spool.jsonl"; }
    std::vector<std::string> committed() {
        auto tip = must(clone_.repo.ref(clone_.journal_ref()));
        return tip ? must(read_log(clone_.repo, *tip, 0)) : std::vector<std::string>();
    }

    World world_;
    Clone clone_;
};

TEST_F(JournalTest, SpoolsRecordsAndCommitsThemAtOnce) {
    EXPECT_EQ(must(commit_spool(clone_)), 0u);
    std::string first = spool(clone_, lease(clone_, 0));
    spool(clone_, lease(clone_, 1));
    std::vector<std::string> waiting = must(spooled_lines(clone_));
    ASSERT_EQ(waiting.size(), 2u);
    EXPECT_EQ(record_id(waiting[0]), first);
    EXPECT_THAT(committed(), IsEmpty());
    EXPECT_EQ(must(commit_spool(clone_)), 2u);
    EXPECT_EQ(committed(), waiting);
    EXPECT_THAT(must(spooled_lines(clone_)), IsEmpty());
    EXPECT_EQ(git(world_.path("ann"), "rev-list --count " + clone_.journal_ref()), "1\n");
}

TEST_F(JournalTest, CutsOffALineThatAKillLeftTorn) {
    std::string first = spool(clone_, lease(clone_, 0));
    shell("printf '{\"v\":1,\"type\":\"lea' >> " + spool_path());
    EXPECT_EQ(must(spooled_lines(clone_)).size(), 1u);
    std::string second = spool(clone_, lease(clone_, 1));
    EXPECT_EQ(must(commit_spool(clone_)), 2u);
    std::vector<std::string> lines = committed();
    EXPECT_THAT((std::vector{record_id(lines.at(0)), record_id(lines.at(1))}), ElementsAre(first, second));
}

TEST_F(JournalTest, CommitsOnceWhatAKilledCommitLeftInBothPlaces) {
    spool(clone_, lease(clone_, 0));
    std::filesystem::copy_file(spool_path(), spool_path() + ".kept");
    must(commit_spool(clone_));
    std::filesystem::rename(spool_path() + ".kept", spool_path());
    EXPECT_EQ(must(commit_spool(clone_)), 0u);
    EXPECT_EQ(committed().size(), 1u);

    std::filesystem::copy_file(spool_path(), spool_path() + ".kept");
    spool(clone_, lease(clone_, 1));
    must(commit_spool(clone_));
    EXPECT_EQ(committed().size(), 2u);
    EXPECT_THAT(must(spooled_lines(clone_)), IsEmpty());
}

TEST_F(JournalTest, CommitsOnceWhatTwoProcessesWroteAlike) {
    spool(clone_, lease(clone_, 0));
    spool(clone_, lease(clone_, 0));
    EXPECT_EQ(must(commit_spool(clone_)), 1u);
    EXPECT_EQ(committed().size(), 1u);
    EXPECT_THAT(must(spooled_lines(clone_)), IsEmpty());
}

// libgit2 does not sync its files to disk.
TEST_F(JournalTest, EmptiesTheSpoolOnlyOnceItsRecordsAreOnTheDisk) {
    spool(clone_, lease(clone_, 0));
    const std::vector<std::string> waiting = must(spooled_lines(clone_));
    std::vector<std::string> synced;
    auto to_disk = [&](const std::string& folder) -> Result<void> {
        synced.push_back(folder);
        EXPECT_EQ(committed(), waiting);
        EXPECT_EQ(must(spooled_lines(clone_)), waiting);
        return {};
    };
    EXPECT_EQ(must(commit_spool(clone_, to_disk)), 1u);
    EXPECT_THAT(synced, ElementsAre(clone_.repo.git_dir()));
    EXPECT_THAT(must(spooled_lines(clone_)), IsEmpty());
}

TEST_F(JournalTest, KeepsTheSpoolWhenTheDiskDoesNotConfirm) {
    spool(clone_, lease(clone_, 0));
    auto broken = [](const std::string&) -> Result<void> { return fail(Code::io, "the disk is gone"); };
    EXPECT_EQ(trouble(commit_spool(clone_, broken)).message, "the disk is gone");
    EXPECT_EQ(must(spooled_lines(clone_)).size(), 1u);
    EXPECT_EQ(must(commit_spool(clone_)), 0u);  // still only once
    EXPECT_EQ(committed().size(), 1u);
    EXPECT_THAT(must(spooled_lines(clone_)), IsEmpty());
}

// A file size limit simulates a full disk.
TEST_F(JournalTest, AppendsNothingWhenTheDiskIsFull) {
    spool(clone_, lease(clone_, 0));
    std::string before = must(read_file(spool_path()));
    pid_t writer = ::fork();
    if (writer == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{before.size() + 10, before.size() + 10};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        auto appended = append_record(clone_, lease(clone_, 1));
        ::_exit(!appended && appended.error().code == Code::io ? 0 : 1);
    }
    int status = -1;
    ::waitpid(writer, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(must(read_file(spool_path())), before);
    EXPECT_TRUE(append_record(clone_, lease(clone_, 1)));
}

TEST_F(JournalTest, LosesNothingWhenProcessesAppendAndCommitAtOnce) {
    constexpr int kProcesses = 4, kEach = 40;
    std::vector<pid_t> writers;
    for (int process = 0; process < kProcesses; ++process) {
        pid_t pid = ::fork();
        if (pid == 0) {
            Clone own = world_.reopen("ann");
            bool good = true;
            for (int i = 0; i < kEach; ++i) {
                good = append_record(own, lease(own, 1000 * process + i)).has_value() && good;
                if (i % 10 == process) good = commit_spool(own).has_value() && good;
            }
            ::_exit(good ? 0 : 1);
        }
        writers.push_back(pid);
    }
    for (pid_t pid : writers) {
        int status = -1;
        ::waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
    }
    must(commit_spool(clone_));
    std::vector<std::string> lines = committed();
    EXPECT_EQ(lines.size(), static_cast<std::size_t>(kProcesses * kEach));
    EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size());
}

// A record that append_record() acknowledged is in the journal exactly once, at whatever point of appending and
// committing the process is killed.
TEST_F(JournalTest, KeepsWhatItAcknowledgedHoweverItIsKilled) {
    std::vector<std::string> acknowledged;
    for (int round = 0; round < 12; ++round) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        pid_t victim = ::fork();
        if (victim == 0) {
            Clone own = world_.reopen("ann");
            for (int i = 0;; ++i) {
                auto id = append_record(own, lease(own, 10'000 * round + i));
                if (!id || ::write(ends[1], id->data(), id->size()) != 64) ::_exit(1);
                if (i % 3 != 2) continue;
                if (auto done = commit_spool(own); !done) {
                    ADD_FAILURE() << done.error().message;
                    ::_exit(2);
                }
            }
        }
        ::close(ends[1]);
        std::string heard(64 * (3 + static_cast<std::size_t>(round)), '\0');
        for (std::size_t at = 0; at < heard.size();) {
            ssize_t got = ::read(ends[0], heard.data() + at, heard.size() - at);
            ASSERT_GT(got, 0);
            at += static_cast<std::size_t>(got);
        }
        ::usleep(static_cast<useconds_t>(700 * round));
        ::kill(victim, SIGKILL);
        for (char id[64]; ::read(ends[0], id, 64) == 64;) heard.append(id, 64);
        ::close(ends[0]);
        int status = 0;
        ::waitpid(victim, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status));
        for (std::size_t at = 0; at < heard.size(); at += 64) acknowledged.push_back(heard.substr(at, 64));
    }
    Clone again = world_.reopen("ann");
    must(commit_spool(again));
    std::multiset<std::string> there;
    for (const std::string& line : committed()) there.insert(record_id(line));
    for (const std::string& id : acknowledged) ASSERT_EQ(there.count(id), 1u);
    EXPECT_EQ(std::set<std::string>(there.begin(), there.end()).size(), there.size());
}

TEST_F(JournalTest, SetsDamagedLinesAsideAndNeverSignsThem) {
    spool(clone_, lease(clone_, 0));
    shell("printf 'damaged \\001 line\\n{\"v\":9,\"type\":\"later\"}\\n' >> " + spool_path());
    spool(clone_, lease(clone_, 1));
    EXPECT_EQ(must(set_damaged_aside(clone_)), 1u);
    EXPECT_EQ(must(read_file(damaged_spool_path(clone_))), "damaged \001 line\n");
    EXPECT_EQ(must(set_damaged_aside(clone_)), 0u);
    shell("printf 'more damage\\n' >> " + spool_path());
    EXPECT_EQ(must(commit_spool(clone_)), 3u) << "a record of a later format is whole";
    EXPECT_EQ(must(read_file(damaged_spool_path(clone_))), "damaged \001 line\nmore damage\n");
    EXPECT_EQ(must(set_damaged_aside(clone_, [](const Record&) { return true; })), 0u);
    spool(clone_, lease(clone_, 2));
    EXPECT_EQ(must(set_damaged_aside(clone_, [](const Record&) { return true; })), 1u);
    EXPECT_EQ(must(commit_spool(clone_)), 0u);
}

TEST_F(JournalTest, ReadsOnlyWhatCameSince) {
    spool(clone_, lease(clone_, 1));
    const SpoolTail first = must(spooled_since(clone_, ""));
    EXPECT_EQ(first.lines.size(), 1u);
    EXPECT_FALSE(first.goes_on);
    spool(clone_, lease(clone_, 2));
    const SpoolTail second = must(spooled_since(clone_, first.mark));
    if (first.mark.empty()) GTEST_SKIP() << "this file system does not know when a file was made";
    EXPECT_TRUE(second.goes_on);
    EXPECT_EQ(second.lines, std::vector{must(spooled_lines(clone_)).back()});
    EXPECT_TRUE(must(spooled_since(clone_, second.mark)).lines.empty());
    must(drop_spooled(clone_, {must(spooled_lines(clone_)).front()}));  // written anew
    const SpoolTail anew = must(spooled_since(clone_, second.mark));
    EXPECT_FALSE(anew.goes_on);
    EXPECT_EQ(anew.lines.size(), 1u);
}

}  // namespace
}  // namespace cultivar
