#include "pool/sync/propose.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/journal.h"
#include "pool/storage/extra_remote.h"
#include "pool/storage/segment_log.h"
#include "pool/transport/retrying_transport.h"
#include "pool/util/sha256.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SyncTest : public ::testing::Test {
protected:
    SyncTest() : ann_(world_.found("ann")) {}

    void hook(const std::string& name, const std::string& script) {
        std::string path = world_.hub() + "/hooks/" + name;
        std::filesystem::create_directories(world_.hub() + "/hooks");
        std::ofstream(path) << "#!/bin/sh\n" << script;
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
    // Pushes one commit with another pool.toml to main on the hosting.
    void publish_pool(const std::string& toml) {
        git(world_.hub(), "rev-parse main");
        commit_by_hand(world_.hub(), "refs/heads/main", {{"pool.toml", toml}}, "main");
    }

    World world_;
    Hand ann_;
};

// The other process holds the lock, claims the runs that both saw unclaimed, and releases it.
TEST_F(SyncTest, ClaimsOnceWhatTwoProcessesProposeAtOnce) {
    auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    std::optional<FileLock> lock = must(FileLock::acquire(ann_.clone.state_dir + "propose.lock", "the other", 0));
    auto mine = std::async(std::launch::async, [&] { return ann_.propose(); });
    EXPECT_EQ(mine.wait_for(std::chrono::milliseconds(500)), std::future_status::timeout);
    spool(ann_.clone, claim_of(ann_.clone, {run}));
    lock.reset();
    EXPECT_EQ(mine.get().records, 2u);
    EXPECT_THAT(must(ann_.index.claims()), SizeIs(1));
}

TEST_F(SyncTest, CarriesKeptCandidatesFromOneCloneToAnotherAndBack) {
    auto root = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ProposeReport sent = ann_.propose();
    EXPECT_EQ(sent.records, 2u);
    EXPECT_THAT(sent.candidates, ElementsAre(root.candidate));
    EXPECT_THAT(sent.artifacts, ElementsAre(root.artifact));
    EXPECT_TRUE(sent.main_moved && sent.anything);
    EXPECT_THAT(sent.refused, IsEmpty());

    Hand bea(world_.join("bea"));
    auto rows = must(bea.index.standings());
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].contributor, ann_.clone.writer);
    EXPECT_EQ(rows[0].verdict, "pending");
    EXPECT_THAT(must(bea.index.claims()).at(0).problem, "");
    auto child = bea.keep({{"optim.lr", 0.2}}, 1.9, {root.candidate});
    EXPECT_THAT(bea.propose().candidates, ElementsAre(child.candidate));

    RefreshReport came = ann_.pull();
    EXPECT_EQ((std::vector{came.runs, came.claims, came.candidates, came.contributors}), (std::vector{1, 1, 1, 1}));
    EXPECT_THAT(came.refused, IsEmpty());
    auto row = must(ann_.index.candidate(child.candidate));
    ASSERT_TRUE(row);
    EXPECT_THAT(row->parents, ElementsAre(root.candidate));
    EXPECT_EQ(must(ann_.clone.repo.read_commit(row->commits.at(0))).parents,
              must(ann_.index.candidate(root.candidate))->commits);
    EXPECT_EQ(git(world_.hub(), "fsck --strict --no-dangling"), "");
}

TEST_F(SyncTest, ChangesNothingWhenThereIsNothingNew) {
    ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ann_.propose();
    const std::string before = world_.hub_refs();
    for (int i = 0; i < 2; ++i) {
        RefreshReport pulled = ann_.pull();
        EXPECT_EQ(pulled.runs + pulled.claims + pulled.candidates + pulled.verdicts, 0);
        ProposeReport idle = ann_.propose();
        EXPECT_FALSE(idle.anything || idle.main_moved);
        EXPECT_EQ(idle.records, 0u);
        EXPECT_THAT(idle.candidates, IsEmpty());
    }
    EXPECT_EQ(world_.hub_refs(), before);
}

TEST_F(SyncTest, SharesRevertedRunsButNotTheirCandidates) {
    auto run = run_by(ann_.clone, {{"optim.lr", 0.3}}, 2.5);
    run.decision = Decision::reverted;
    give_artifact(ann_.clone, run, "reverted weights");
    spool(ann_.clone, run);
    ProposeReport sent = ann_.propose();
    EXPECT_EQ(sent.records, 1u);
    EXPECT_THAT(sent.candidates, IsEmpty());
    EXPECT_THAT(sent.artifacts, IsEmpty());
    Hand bea(world_.join("bea"));
    EXPECT_THAT(must(bea.index.standings()), SizeIs(1));
    // Named explicitly, it is pushed.
    EXPECT_THAT(ann_.propose({run.candidate}).candidates, ElementsAre(run.candidate));
}

TEST_F(SyncTest, RefusesToProposeWhatThisCloneHasNotScored) {
    std::string unscored = must(make_candidate(ann_.clone.task.space, ann_.clone.task_id, {{"optim.lr", 0.9}})).id;
    EXPECT_EQ(trouble(propose(ann_.clone, ann_.index, *ann_.git, {unscored})).code, Code::not_found);
    ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ann_.propose();
    Hand bea(world_.join("bea"));
    std::string theirs = must(bea.index.standings()).at(0).candidate;
    EXPECT_EQ(trouble(propose(bea.clone, bea.index, *bea.git, {theirs})).code, Code::not_found);
}

TEST_F(SyncTest, LosesNothingWhenTheHostingRefusesAndSendsItNextTime) {
    ann_.propose();
    auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    hook("update", "case $1 in refs/heads/candidates/*) echo 'not those'; exit 1;; esac\n");
    ProposeReport partly = ann_.propose();
    ASSERT_THAT(partly.refused, SizeIs(1));
    EXPECT_THAT(partly.refused[0].remote, HasSubstr("refs/heads/candidates/" + run.candidate));
    EXPECT_THAT(partly.refused[0].reason, HasSubstr("hook declined"));
    EXPECT_THAT(partly.candidates, IsEmpty());
    EXPECT_THAT(partly.artifacts, ElementsAre(run.artifact));
    hook("update", "exit 0\n");
    hook("pre-receive", "exit 1\n");
    EXPECT_THAT(ann_.propose().refused, SizeIs(1));
    hook("pre-receive", "exit 0\n");
    ProposeReport later = ann_.propose();
    EXPECT_THAT(later.candidates, ElementsAre(run.candidate));
    EXPECT_THAT(later.refused, IsEmpty());
    Hand bea(world_.join("bea"));
    EXPECT_THAT(must(bea.index.candidate(run.candidate))->commits, SizeIs(1));
}

// Pushed refs without a confirmation are on the hosting all the same, and are counted.
class LosesReplies : public Transport {
public:
    LosesReplies(std::unique_ptr<Transport> inner, int replies) : inner_(std::move(inner)), left_(replies) {}
    Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) override {
        return inner_->fetch(remote, refspecs);
    }
    Result<void> each_ref(const std::string& remote, const RefVisitor& visit) override {
        return inner_->each_ref(remote, visit);
    }
    Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) override {
        auto sent = inner_->push(remote, items);
        if (left_-- > 0)
            return fail(Code::git, "cannot reach 'origin': the remote end hung up unexpectedly", "", Reason::transient);
        return sent;
    }

private:
    std::unique_ptr<Transport> inner_;
    int left_;
};

// Takes nothing in which a ref is that is too much, as git does.
class IsSentTooMuch : public Transport {
public:
    IsSentTooMuch(std::unique_ptr<Transport> inner, std::string ref) : inner_(std::move(inner)), ref_(std::move(ref)) {}
    Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) override {
        for (const std::string& refspec : refspecs) {
            const std::string into = refspec.substr(refspec.find(':') + 1);
            const std::string here = tracking_ref(ref_);
            if (into.ends_with('*') ? here.starts_with(into.substr(0, into.size() - 1)) : here == into)
                return fail(Code::git, "the remote sends too much", "", Reason::too_large);
        }
        return inner_->fetch(remote, refspecs);
    }
    Result<void> each_ref(const std::string& remote, const RefVisitor& visit) override {
        return inner_->each_ref(remote, visit);
    }
    Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) override {
        return inner_->push(remote, items);
    }

private:
    std::unique_ptr<Transport> inner_;
    std::string ref_;
};

TEST_F(SyncTest, OneLogThatIsTooMuchForGitKeepsNoOtherAway) {
    ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ann_.propose();
    Hand cai(world_.join("cai"));
    cai.keep({{"optim.lr", 0.2}}, 2.1);
    cai.propose();
    Hand bea(world_.join("bea"));
    for (const Hand* one : {&ann_, &cai})
        EXPECT_TRUE(bea.clone.repo.delete_ref(tracking_ref(one->clone.journal_ref())));
    IsSentTooMuch transport(git_cli_transport(bea.clone.repo.git_dir()), cai.clone.journal_ref());
    const PullReport report = must(pull(bea.clone, bea.index, transport));
    EXPECT_TRUE(must(bea.clone.repo.ref(tracking_ref(ann_.clone.journal_ref()))));
    EXPECT_FALSE(must(bea.clone.repo.ref(tracking_ref(cai.clone.journal_ref()))));
    ASSERT_THAT(report.refused, SizeIs(1));
    EXPECT_EQ(report.refused[0].where, "origin/journal/" + cai.clone.writer);
}

std::unique_ptr<Transport> losing_replies(const Hand& hand, int replies) {
    Backoff at_once;
    at_once.sleep = [](double) { return true; };
    at_once.uniform = [] { return 0.5; };
    return retrying(std::make_unique<LosesReplies>(git_cli_transport(hand.clone.repo.git_dir()), replies), at_once);
}

TEST_F(SyncTest, CountsWhatARepeatedPushFindsThereAfterALostReply) {
    auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ProposeReport sent = must(propose(ann_.clone, ann_.index, *losing_replies(ann_, 1), {}));
    EXPECT_TRUE(sent.anything && sent.main_moved);
    EXPECT_FALSE(sent.sent_again);
    EXPECT_EQ(sent.records, 2u);
    EXPECT_THAT(sent.candidates, ElementsAre(run.candidate));
    EXPECT_THAT(sent.artifacts, ElementsAre(run.artifact));
    EXPECT_FALSE(ann_.propose().anything);
}

TEST_F(SyncTest, CountsAtTheNextProposeWhatWasNeverConfirmed) {
    ann_.propose();
    // As if git had died before it recorded the pushed refs.
    const std::string before = git(world_.path("ann"), "for-each-ref --format='%(refname)' refs/remotes");
    auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    EXPECT_EQ(trouble(propose(ann_.clone, ann_.index, *losing_replies(ann_, 9), {})).code, Code::git);
    for (const Ref& ref : must(ann_.clone.repo.refs("refs/remotes/"))) {
        if (before.find(ref.name) == std::string::npos) must(ann_.clone.repo.delete_ref(ref.name));
    }
    ProposeReport sent = ann_.propose();
    EXPECT_TRUE(sent.anything);
    EXPECT_EQ(sent.records, 2u);
    EXPECT_THAT(sent.candidates, ElementsAre(run.candidate));
    EXPECT_THAT(world_.hub_refs(), HasSubstr(ann_.clone.journal_ref()));
}

TEST_F(SyncTest, CountsWhatAForkHasAfterALostReply) {
    ann_.propose();
    Hand bob(world_.join("bob"));
    shell("git clone -q --bare " + world_.hub() + " " + world_.path("fork.git"));
    bob.keep({{"optim.lr", 0.1}}, 2.0);
    for (bool as_bundle : {false, true}) {
        ProposeReport sent =
            must(propose(bob.clone, bob.index, *losing_replies(bob, 1), {}, {world_.path("fork.git"), as_bundle}));
        EXPECT_TRUE(sent.anything);
        EXPECT_EQ(sent.records, 2u);
        bob.keep({{"optim.lr", 0.2}}, 1.9);
    }
}

TEST_F(SyncTest, CountsNoRecordThatTheRemoteRefused) {
    ann_.propose();
    ann_.keep({{"optim.lr", 0.1}}, 2.0);
    hook("update", "case $1 in refs/heads/journal/*) exit 1;; esac\n");
    ProposeReport sent = ann_.propose();
    EXPECT_THAT(sent.refused, SizeIs(1));
    EXPECT_EQ(sent.records, 0u);  // none is there
    hook("update", "exit 0\n");
    EXPECT_EQ(ann_.propose().records, 2u);
}

// Whether the address or the repository behind it was changed.
TEST_F(SyncTest, TakesNothingFromARemoteThatBecameAnotherPool) {
    ann_.propose();
    World elsewhere;
    Hand other(elsewhere.found("eve"));
    other.keep({{"optim.lr", 0.2}}, 1.5);
    other.propose();
    const std::string refs = git(world_.path("ann"), "for-each-ref");
    git(world_.path("ann"), "remote set-url origin " + elsewhere.hub());
    Error error = trouble(pull(ann_.clone, ann_.index, *ann_.git));
    EXPECT_EQ(error.code, Code::corrupt);
    EXPECT_THAT(error.message, HasSubstr("another pool"));
    EXPECT_EQ(git(world_.path("ann"), "for-each-ref"), refs);
    Hand young(world_.found("young"));  // has met no remote yet
    git(world_.path("young"), "remote set-url origin " + elsewhere.hub());
    EXPECT_THAT(trouble(pull(young.clone, young.index, *young.git)).message, HasSubstr("another pool"));
    EXPECT_EQ(git(world_.path("young"), "for-each-ref refs/remotes"), "");
    std::filesystem::rename(elsewhere.hub(), world_.path("away"));
    std::filesystem::rename(world_.hub(), elsewhere.hub());
    EXPECT_THAT(ann_.pull().refused, IsEmpty());
}

// A clone of depth one has no history.
TEST_F(SyncTest, RefusesAShallowCloneUntilItIsWhole) {
    for (const char* text : {"one", "two"}) must(ann_.clone.commit_main({{"README", text}}, text));
    auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ann_.propose();
    const std::string folder = world_.path("shallow");
    shell("git clone -q --depth 1 file://" + world_.hub() + " " + folder);
    for (int i = 0; i < 2; ++i) {
        Error error = trouble(open_clone(folder));
        EXPECT_THAT(error.message, HasSubstr("shallow"));
        EXPECT_EQ(error.hint, "git fetch --unshallow");
    }
    EXPECT_FALSE(std::filesystem::exists(folder + "/.git/cultivar"));  // nothing was written
    git(folder, "fetch -q --unshallow");
    must(Key::create(must(open_clone(folder)).state_dir + "key.pem"));
    Hand whole(must(open_clone(folder)));
    EXPECT_THAT(whole.pull().refused, IsEmpty());
    EXPECT_THAT(must(whole.index.runs()), SizeIs(1));
    auto child = whole.keep({{"optim.lr", 0.2}}, 1.9, {run.candidate});
    EXPECT_EQ(whole.propose().records, 2u);
    git(folder, "fetch -q --depth 1 origin");  // made shallow later
    EXPECT_EQ(trouble(open_clone(folder)).hint, "git fetch --unshallow");
    git(folder, "fetch -q --unshallow");
    EXPECT_THAT(must(Hand(must(open_clone(folder))).index.runs()), SizeIs(2));
}

TEST_F(SyncTest, RefusesAPartialClone) {
    ann_.propose();
    git(world_.hub(), "config uploadpack.allowFilter true");
    const std::string folder = world_.path("partial");
    shell("git clone -q --no-checkout --filter=blob:none file://" + world_.hub() + " " + folder);
    EXPECT_THAT(trouble(open_clone(folder)).message, HasSubstr("partial clone"));
    EXPECT_FALSE(std::filesystem::exists(folder + "/.git/cultivar"));
}

// The remote is a shallow clone.
TEST_F(SyncTest, TakesNothingFromARemoteThatIsShallow) {
    for (const char* text : {"one", "two"}) must(ann_.clone.commit_main({{"README", text}}, text));
    ann_.propose();
    const std::string remote = world_.path("shallow.git");
    shell("git clone -q --bare --depth 1 file://" + world_.hub() + " " + remote);
    must(create_clone(world_.path("bob"), true, remote, {"bob", "machine"}));
    for (bool by_program : {true, false}) {
        const std::string dir = world_.path("bob") + "/.git";
        auto transport = by_program ? git_cli_transport(dir) : libgit2_transport(dir);
        Error error = trouble(transport->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
        EXPECT_EQ(error.code, Code::git);
        EXPECT_THAT(error.message, HasSubstr("'origin' is a shallow clone itself"));
        EXPECT_EQ(error.hint, "git fetch --unshallow");
        EXPECT_EQ(git(world_.path("bob"), "for-each-ref"), "");
    }
    git(remote, "fetch -q --unshallow");  // the hint, run there
    must(create_clone(world_.path("eve"), true, remote, {"eve", "machine"}));
    must(
        git_cli_transport(world_.path("bob") + "/.git")->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
    must(
        libgit2_transport(world_.path("eve") + "/.git")->fetch("origin", {"refs/heads/main:refs/remotes/origin/main"}));
    for (const char* name : {"bob", "eve"}) EXPECT_EQ(world_.reopen(name).task_id, ann_.clone.task_id);
}

TEST_F(SyncTest, KeepsRecordsForLaterWhenTheRemoteCannotBeReached) {
    const std::string away = world_.path("away.git");
    ann_.propose();
    auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    std::filesystem::rename(world_.hub(), away);
    for (const Error& error :
         {trouble(propose(ann_.clone, ann_.index, *ann_.git, {})), trouble(pull(ann_.clone, ann_.index, *ann_.git))}) {
        EXPECT_EQ(error.code, Code::git);
        EXPECT_EQ(error.hint, "git ls-remote origin");
    }
    std::filesystem::rename(away, world_.hub());
    EXPECT_THAT(ann_.propose().candidates, ElementsAre(run.candidate));
    Hand bea(world_.join("bea"));
    EXPECT_THAT(must(bea.index.runs()), SizeIs(1));
}

TEST_F(SyncTest, SaysSoWhenThereIsNoRemoteOrNothingOnIt) {
    EXPECT_THAT(trouble(pull(ann_.clone, ann_.index, *ann_.git)).message, HasSubstr("no branch main yet"));
    git(world_.path("ann"), "config --remove-section remote.origin");
    Hand again(world_.reopen("ann"));
    EXPECT_EQ(trouble(pull(again.clone, again.index, *again.git)).code, Code::not_found);
    EXPECT_EQ(trouble(propose(again.clone, again.index, *again.git, {})).code, Code::not_found);
}

TEST_F(SyncTest, RefusesARemoteJournalThatWentBackwards) {
    ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ann_.propose();
    ann_.keep({{"optim.lr", 0.2}}, 1.9);
    ann_.propose();
    Hand bea(world_.join("bea"));
    git(world_.hub(), "update-ref " + ann_.clone.journal_ref() + " " + ann_.clone.journal_ref() + "~1");
    RefreshReport report = bea.pull();
    ASSERT_THAT(report.refused, SizeIs(1));
    EXPECT_THAT(report.refused[0].where, HasSubstr("journal/" + ann_.clone.writer));
    EXPECT_EQ(report.refused[0].reason, "was rewound on the remote");
    EXPECT_THAT(must(bea.index.runs()), SizeIs(2));
}

TEST_F(SyncTest, RefusesAPoolThatBrokeItsOwnRulesAndGoesOnWithTheOld) {
    ann_.propose();
    const std::string sound = git(world_.hub(), "rev-parse main").substr(0, 40);
    Hand bea(world_.join("bea"));
    Task changed = tiny_task();
    std::vector<Gene> genes = tiny_genes();
    genes[6].default_value = 0.5;
    changed.space = must(Space::make(genes, tiny_constraints()));
    const std::pair<std::string, const char*> cases[] = {
        {to_toml(changed), "default of 'optim.lr'"}, {"format = 9\n", "newer cultivar"}, {"not toml", "pool.toml:1:"}};
    for (const auto& [toml, why] : cases) {
        publish_pool(toml);
        for (int i = 0; i < 2; ++i) {
            Hand again(world_.reopen("bea"));
            EXPECT_THAT(again.pull().main_refused->message, HasSubstr(why));
            EXPECT_EQ(again.clone.task_id, bea.clone.task_id);
        }
        git(world_.hub(), "update-ref refs/heads/main " + sound);
    }
    EXPECT_THAT(bea.pull().refused, IsEmpty());
}

// Git writes no such tree itself.
void give_main_a_file(const World& world, std::string_view name) {
    const std::string hub = world.hub(), file = world.path("tree");
    shell("git -C " + hub + " cat-file tree main^{tree} >" + file);
    const std::string blob = shell("git -C " + hub + " hash-object -w --stdin </dev/null");
    std::string bytes = world.folder().read("tree") + "100644 " + std::string(name) + '\0';
    for (std::size_t i = 0; i < 40; i += 2) bytes += static_cast<char>(std::stoi(blob.substr(i, 2), nullptr, 16));
    world.folder().write("tree", bytes);
    shell("cd " + hub + " && git update-ref refs/heads/main $(git commit-tree -m hostile -p main " +
          "$(git hash-object -t tree --literally -w " + file + "))");
}

// A name that leads into .git, or out of the folder, and names that some file system takes for one.
TEST_F(SyncTest, RefusesAMainThatNoWorkTreeCanHoldAndTakesTheRest) {
    ann_.propose();
    const std::string sound = git(world_.hub(), "rev-parse main").substr(0, 40);
    Hand bea(world_.join("bea"));
    int told = 0;
    for (const char* name : {".git", ".GIT", "git~1", ".git ", "..", "a\\b", ".g\xe2\x80\x8cit"}) {
        ann_.keep({{"optim.lr", 0.01 * ++told}}, 2.0);
        ann_.propose();
        give_main_a_file(world_, name);
        const PullReport report = bea.pull();
        ASSERT_TRUE(report.main_refused) << name;
        EXPECT_THAT(report.main_refused->message, HasSubstr("which no work tree can hold")) << name;
        EXPECT_EQ(report.runs, 1) << name;
        EXPECT_EQ(bea.clone.main, sound) << name;
        git(world_.hub(), "update-ref refs/heads/main " + sound);
    }
    EXPECT_THAT(bea.pull().refused, IsEmpty());
}

// Git knows nothing of it, and could not bring it back.
TEST_F(SyncTest, AFileOfTheUsersIsNeverOverwrittenByMain) {
    ann_.propose();
    const std::string pool = world_.path("person");
    shell("git clone -q " + world_.hub() + " " + pool);
    Hand person(world_.reopen("person"));
    world_.folder().write("person/.git/info/exclude", "notes\n");
    world_.folder().write("person/notes", "mine");
    must(ann_.clone.commit_main({{"notes", "theirs"}, {"other", "theirs"}}, "Notes"));
    ann_.propose();
    EXPECT_THAT(person.pull().refused, ElementsAre(::testing::Field(&Refusal::reason, HasSubstr("in the way"))));
    EXPECT_EQ(world_.folder().read("person/notes"), "mine");
    EXPECT_EQ(person.clone.main, ann_.clone.main) << "the pool goes by its main all the same";
    std::filesystem::remove(pool + "/notes");
    EXPECT_THAT(person.pull().refused, IsEmpty());
    EXPECT_EQ(world_.folder().read("person/notes"), "theirs");
}

TEST_F(SyncTest, RefusesTheMainOfAnotherPoolForGood) {
    World elsewhere;
    Task other = tiny_task();
    other.data->slice.sha256 = std::string(64, 'f');
    Hand their(elsewhere.found("eve", other));
    their.propose();
    git(world_.path("ann"), "config remote.origin.url " + elsewhere.hub());
    for (int i = 0; i < 2; ++i) {
        Hand again(world_.reopen("ann"));
        EXPECT_THAT(trouble(pull(again.clone, again.index, *again.git)).message, HasSubstr("another pool"));
        EXPECT_EQ(again.clone.task_id, ann_.clone.task_id);
    }
}

TEST_F(SyncTest, ProposesACandidateWhoseParentsAStrangerInvented) {
    const Key key = must(Key::load_or_create(world_.path("eve.pem")));
    const std::string eve = "eve.box." + key.fingerprint().substr(0, 8);
    std::vector<std::string> lies;
    const cultivar::Run fine = scored_run(ann_.clone.task, eve, {{"optim.lr", 0.1}}, 2.5);
    for (const std::string& parent : {std::string(32, 'd'), fine.candidate}) {
        auto run = scored_run(ann_.clone.task, eve, {{"optim.lr", 0.1}}, 2.5, static_cast<int>(lies.size()));
        run.parents = {parent};
        lies.push_back(to_line(run));
    }
    must(append_log(ann_.clone.repo, "refs/remotes/origin/journal/" + eve, lies, {eve, "x@example.org", 1}, key));
    must(ann_.index.refresh());
    const auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    const ProposeReport sent = ann_.propose();
    EXPECT_THAT(sent.candidates, ElementsAre(run.candidate));
    EXPECT_THAT(sent.left_out, IsEmpty());
}

TEST_F(SyncTest, DropsABranchOfWhichNothingIsGoodOnceTheRemoteDeletedIt) {
    ann_.keep({{"optim.lr", 0.01}}, 3);
    ann_.propose();
    Hand bea(world_.join("bea"));
    const std::string bad = "zed.box.12345678";
    commit_by_hand(world_.hub(), "refs/heads/journal/" + bad, {{"seg/000000.jsonl", "rubbish\n"}});
    EXPECT_THAT(bea.pull().refused, SizeIs(1));
    EXPECT_TRUE(must(bea.clone.repo.ref("refs/remotes/origin/journal/" + bad)));
    EXPECT_THAT(bea.pull().refused, IsEmpty()) << "it is told once";
    git(world_.hub(), "update-ref -d refs/heads/journal/" + bad);
    bea.pull();
    EXPECT_FALSE(must(bea.clone.repo.ref("refs/remotes/origin/journal/" + bad)));
    EXPECT_EQ(must(bea.index.totals()).refused, 0);
}

TEST_F(SyncTest, KeepsEverybodysRecordsWhenTheRemoteLosesThem) {
    ann_.keep({{"optim.lr", 0.01}}, 3);
    ann_.propose();
    Hand bea(world_.join("bea"));
    bea.pull();
    for (const char* folder : {"journal", "candidates"})
        git(world_.hub(),
            fmt::format("for-each-ref --format='delete %(refname)' refs/heads/{} | git -C '{}' update-ref "
                        "--stdin",
                        folder, world_.hub()));
    bea.pull();
    EXPECT_THAT(must(bea.index.runs()), SizeIs(1));
    EXPECT_TRUE(must(bea.clone.repo.ref("refs/remotes/origin/journal/" + ann_.clone.writer)));
    must(ann_.index.refresh());
    EXPECT_TRUE(must(ann_.clone.repo.ref(ann_.clone.journal_ref())));
}

TEST_F(SyncTest, TakesAPoolThatWidened) {
    ann_.propose();
    Hand bea(world_.join("bea"));
    Task wider = tiny_task();
    std::vector<Gene> genes = tiny_genes();
    genes[0].high = 64;
    wider.space = must(Space::make(genes, tiny_constraints()));
    publish_pool(to_toml(wider));
    EXPECT_THAT(bea.pull().refused, IsEmpty());
    EXPECT_EQ(bea.clone.task.space.find("model.layers")->high, 64);
    auto deep = bea.keep({{"model.layers", whole(50)}}, 1.5);
    EXPECT_THAT(bea.propose().candidates, ElementsAre(deep.candidate));
}

TEST_F(SyncTest, IsCarriedThroughWhenTwoClonesFindTheSameCandidate) {
    ann_.propose();
    Hand bea(world_.join("bea"));
    auto mine = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    auto hers = bea.keep({{"optim.lr", 0.1}}, 2.01);
    EXPECT_EQ(mine.candidate, hers.candidate);
    EXPECT_THAT(ann_.propose().refused, IsEmpty());
    EXPECT_THAT(bea.propose().refused, IsEmpty());
    EXPECT_THAT(git(world_.hub(), "for-each-ref --format='%(refname)' refs/heads/candidates"),
                ::testing::ContainsRegex("^refs/heads/candidates/[0-9a-f]{32}.[0-9a-f]{8}\n$"));
    ann_.pull();
    EXPECT_EQ(must(ann_.index.runs(mine.candidate)).size(), 2U);
    EXPECT_EQ(must(ann_.index.standings()).at(0).runs, 1) << "a standing rests on the runs of one key";
}

TEST_F(SyncTest, CarriesArtifactsOnDemandAndRefusesSwappedOnes) {
    auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ann_.propose();
    Hand bea(world_.join("bea"));
    bea.pull();
    EXPECT_EQ(must(bea.clone.repo.ref(artifact_ref(run.artifact))), std::nullopt);  // pull never fetches them
    EXPECT_EQ(trouble(load_artifact(bea.clone, nullptr, run.artifact)).code, Code::not_found);
    EXPECT_EQ(must(load_artifact(bea.clone, bea.git.get(), run.artifact)), "weights of " + run.candidate);
    EXPECT_EQ(must(load_artifact(bea.clone, nullptr, run.artifact)), "weights of " + run.candidate);
    EXPECT_EQ(trouble(load_artifact(bea.clone, bea.git.get(), std::string(64, '0'))).code, Code::not_found);

    const std::string wrong = sha256_hex("promised"), large = sha256_hex("large"), none = sha256_hex("none");
    commit_by_hand(world_.hub(), artifact_ref(wrong), {{"weights", "delivered"}});
    commit_by_hand(world_.hub(), artifact_ref(large), {{"weights", std::string(16'000'001, 'x')}});
    commit_by_hand(world_.hub(), artifact_ref(none), {{"README", "none"}});
    for (const std::string& digest : {wrong, large, none})
        EXPECT_EQ(trouble(load_artifact(bea.clone, bea.git.get(), digest)).code, Code::corrupt);
    // Once the owner has repaired it, it can be loaded.
    git(world_.hub(), "update-ref -d " + artifact_ref(wrong));
    commit_by_hand(world_.hub(), artifact_ref(wrong), {{"weights", "promised"}});
    EXPECT_EQ(must(load_artifact(bea.clone, bea.git.get(), wrong)), "promised");
}

// A bundle may carry any commit under an artifact's name, and anyone may push to a fork.
TEST_F(SyncTest, FindsAnArtifactElsewhereWhenOtherBytesLieUnderItsName) {
    auto run = ann_.keep({{"optim.lr", 0.1}}, 2.0);
    ann_.propose();
    Hand bea(world_.join("bea"));
    const std::string ref = artifact_ref(run.artifact), honest = "weights of " + run.candidate;
    commit_by_hand(world_.path("bea"), ref, {{"weights", "planted"}});
    EXPECT_EQ(trouble(load_artifact(bea.clone, nullptr, run.artifact)).code, Code::corrupt);
    commit_by_hand(world_.path("bea"), ref, {{"weights", "planted"}});
    EXPECT_EQ(must(load_artifact(bea.clone, bea.git.get(), run.artifact)), honest);

    Hand cid(world_.join("cid"));
    shell("git clone -q --bare " + world_.hub() + " " + world_.path("fork.git"));
    git(world_.path("ann"), "push -q " + world_.path("fork.git") + " " + ref);
    git(world_.hub(), "update-ref -d " + ref);
    commit_by_hand(world_.hub(), ref, {{"weights", "planted"}});
    EXPECT_EQ(trouble(load_artifact(cid.clone, cid.git.get(), run.artifact)).code, Code::corrupt);
    must(add_extra_remote(cid.clone.repo, {"fork", world_.path("fork.git"), ""}));
    EXPECT_EQ(must(load_artifact(cid.clone, cid.git.get(), run.artifact)), honest);
}

TEST_F(SyncTest, StoresTheSameArtifactAsTheSameObject) {
    ann_.propose();
    Hand bea(world_.join("bea"));
    const std::string digest = sha256_hex("weights");
    for (Hand* hand : {&ann_, &bea}) must(store_artifact(hand->clone.repo, digest, "weights"));
    EXPECT_EQ(must(ann_.clone.repo.ref(artifact_ref(digest))), must(bea.clone.repo.ref(artifact_ref(digest))));
}

}  // namespace
}  // namespace cultivar
