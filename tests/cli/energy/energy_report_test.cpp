// Sums over the records of a pool: by line, by key, with and without slots.
#include "cli/energy/energy_report.h"

#include "cli/format/energy_view.h"
#include "tests/energy/support.h"
#include "tests/pool/support/hand.h"

namespace cultivar {
namespace {

class EnergyReportTest : public ::testing::Test {
protected:
    EnergyReportTest() : ann_(world_.found("ann")) {}

    // A run of five minutes over two slots: 120 and 60 J above idle, 180 and 120 J gross, with an error of a fifth.
    cultivar::Run measured(int replicate = 0, const std::string& zone = "GB") {
        cultivar::Run run = run_by(ann_.clone, {}, 5.1, replicate);
        run.wall_s = 300;
        run.train_s = 20;
        run.zone = zone;
        run.energy = {180, 0.2, "rapl"};
        run.energy.domains = {{"cpu", "rapl", 0.2, {{kNewYear_s, 150, 130, 50}, {kNewYear_s + 900, 150, 80, 50}}},
                              {"dram", "rapl", 0.2, {{kNewYear_s, 150, 50, 10}, {kNewYear_s + 900, 150, 40, 10}}}};
        return run;
    }
    std::string record(const cultivar::Run& run) {
        std::string id = spool(ann_.clone, run);
        must(ann_.index.refresh());
        return id;
    }
    EnergyReport report(const EnergyQuery& query = {}, std::vector<Factor> factors = {}) {
        factors_ = std::make_unique<Factors>(std::move(factors));
        return must(energy_report(ann_.index, *factors_, query));
    }
    // "key above gross (runs) ..." in the order of the rows.
    static std::string told(const std::vector<EnergyRow>& rows) {
        std::string text;
        for (const EnergyRow& one : rows)
            text += fmt::format("{} {:g} {:g} ({}); ", one.key, one.account.joules[kAboveIdle].value,
                                one.account.joules[kGross].value, one.runs);
        return text;
    }

    World world_;
    Hand ann_;
    std::unique_ptr<Factors> factors_;
};

TEST_F(EnergyReportTest, DomainsAddUpWithTheirBounds) {
    record(measured());
    const EnergyReport all = report();
    EXPECT_EQ(told({all.total}), "total 180 300 (1); ");
    EXPECT_EQ(told(all.lines), "search 180 300 (1); ");
    const Range& gross = all.total.account.joules[kGross];
    EXPECT_DOUBLE_EQ(gross.low, 250);
    EXPECT_DOUBLE_EQ(gross.high, 360);
    EXPECT_EQ(all.total.account.machine_s, 300);
    EXPECT_EQ(all.spread_joules, 0);
    EXPECT_EQ(all.total.methods.at("rapl"), 300);
}

// 180 J at 200 g/kWh and 120 J at 300 g/kWh: (36,000 + 36,000) / 3.6e6 = 0.02 g.
TEST_F(EnergyReportTest, EachSlotHasItsOwnFactor) {
    record(measured());
    const EnergyReport all = report(
        {}, {series_of(FactorKind::carbon_average, {{kNewYear_s, 200}, {kNewYear_s + 900, 300}}, "g/kWh", "GB")});
    EXPECT_NEAR(all.total.account.carbon_g[kAverage][kGross].range.value, 0.02, 1e-12);
    EXPECT_NEAR(all.total.account.carbon_g[kMarginal][kGross].unpriced_joules, 300, 1e-9);
}

// 300 J above idle of 25.5 s, and 5 W x 25.5 s = 127.5 J idle; the manual's error of declared watts is 0.3.
TEST_F(EnergyReportTest, OlderRecordsAreSpreadAndMarked) {
    record(run_by(ann_.clone, {}, 5.1));
    const EnergyReport all = report();
    EXPECT_EQ(told({all.total}), "total 300 427.5 (1); ");
    EXPECT_EQ(all.spread_joules, 300);
    EXPECT_NEAR(all.total.account.joules[kAboveIdle].high, 390, 1e-9);
}

TEST_F(EnergyReportTest, WithoutAnIdlePowerGrossIsNotKnown) {
    cultivar::Run run = run_by(ann_.clone, {}, 5.1);
    run.energy = {300, 0, "estimated"};
    record(run);
    const EnergyReport all = report();
    EXPECT_EQ(all.total.account.without_gross_joules, 300);
    EXPECT_EQ(told({all.total}), "total 300 300 (1); ");
    EXPECT_DOUBLE_EQ(all.total.account.joules[kAboveIdle].low, 150);
    EXPECT_DOUBLE_EQ(all.total.account.joules[kAboveIdle].high, 600);
}

TEST_F(EnergyReportTest, EveryEndOfARunHasItsLine) {
    record(measured(0));
    cultivar::Run failed = measured(1);
    failed.status = RunStatus::failed, failed.decision = Decision::none;
    failed.val_bpb.reset(), failed.val_loss.reset(), failed.artifact.clear(), failed.chunk_loss_sums.clear();
    record(failed);
    cultivar::Run called = measured(2);
    called.proposer = "proposer";
    called.proposer_energy = ProposerEnergy{40, 10, 160, "estimated"};
    called.network_bytes = 50'000'000;
    record(called);
    const EnergyReport all = report({}, {constant(FactorKind::network, {0.0376, 0.001875, 0.1}, "kWh/GB")});
    EXPECT_EQ(told(all.lines), "search 360 600 (2); failed 180 300 (1); proposer 40 40 (1); network 6768 6768 (1); ");
    EXPECT_EQ(all.total.runs, 3);
}

TEST_F(EnergyReportTest, RowsFollowTheKey) {
    const std::string first = record(measured(0, "GB"));
    record(measured(1, "FR"));
    record(measured(2, "FR"));
    EXPECT_EQ(told(report({.by = EnergyBy::zone}).rows), "FR 360 600 (2); GB 180 300 (1); ");
    EXPECT_EQ(told(report({.by = EnergyBy::day}).rows), "2026-01-01 540 900 (3); ");
    EXPECT_EQ(told(report({.by = EnergyBy::contributor}).rows), ann_.clone.key.fingerprint() + " 540 900 (3); ");
    const std::string candidate = measured().candidate;
    EXPECT_EQ(told(report({.by = EnergyBy::candidate}).rows), candidate + " 540 900 (3); ");
    EXPECT_EQ(told(report({.by = EnergyBy::lineage}).rows), candidate + " 540 900 (3); ");
    EXPECT_EQ(report({.by = EnergyBy::run}).rows.size(), 3);
    EXPECT_EQ(told(report({.id = first}).rows), "itself 180 300 (1); ");
    EXPECT_EQ(told(report({.id = candidate}).rows), "itself 540 900 (3); ");
}

TEST_F(EnergyReportTest, VerificationCountsAndNamesItsCategory) {
    ann_.propose();
    const cultivar::Run run = measured();
    record(run);
    ann_.claim_and_accept(run);
    EXPECT_EQ(told(report().lines), "search 180 300 (1); verification 70 70 (1); ");
    EXPECT_EQ(told(report({.by = EnergyBy::category}).rows), run.category + " 250 370 (2); ");
}

TEST_F(EnergyReportTest, ARecordThatIsReadAnewCountsOnce) {
    record(measured());
    for (const char* tail : {"", "-wal", "-shm"})
        std::filesystem::remove(ann_.clone.index_dir() + "index.sqlite" + tail);
    Index again = must(Index::open(ann_.clone));
    EXPECT_EQ(told({must(energy_report(again, Factors({}), {})).total}), "total 180 300 (1); ");
}

TEST(EnergyView, FiguresHaveUnitAndBounds) {
    EXPECT_EQ(joules_range_text({1.65e6, 1.57e6, 1.73e6}), "1.65 MJ (1.57 to 1.73)");
    EXPECT_EQ(joules_range_text(Range::exactly(999)), "999 J");
    EXPECT_EQ(joules_range_text({1000, 500, 2000}), "1 kJ (0.5 to 2)");
    EXPECT_EQ(grams_text(Range::exactly(0.02)), "20 mg");
    EXPECT_EQ(grams_text({-5000, -6000, -4000}), "-5 kg (-6 to -4)");
}

}  // namespace
}  // namespace cultivar
