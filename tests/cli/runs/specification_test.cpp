#include "cli/runs/specification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/cli/support/search_world.h"

namespace cultivar {
namespace {

TEST(Data, ThatIsMissingIsHintedAtWithoutRunningAnythingOfItsNames) {
    SearchWorld world;
    world.clone().task.data->sources = {{"corpus.txt; touch PWNED #", std::string(64, '1')}};
    std::filesystem::remove_all(world.clone().data_dir());
    const Error error = trouble(need_data(world.clone()));
    EXPECT_EQ(error.hint, "cultivar data import PATH/'corpus.txt; touch PWNED #'");
}

class WithoutDevices final : public Worker {
public:
    explicit WithoutDevices(FakeWorker& worker) : worker_(worker) {}
    Result<std::vector<std::string>> check() const override { return worker_.check(); }
    Result<std::string> digest() const override { return worker_.digest(); }
    Result<void> require_device(const std::string& device) const override {
        return device == "cpu" ? Result<void>() : fail(Code::usage, "this machine has no device '" + device + "'");
    }
    Result<Outcome> run(const WorkerJob& job, const Listener& listener, const std::function<bool()>& stop) override {
        return worker_.run(job, listener, stop);
    }

private:
    FakeWorker& worker_;
};

TEST(Device, ThatIsNotThereIsRefusedBeforeAnythingIsMeasuredKeptOrRecorded) {
    SearchWorld world;
    world.session.settings.device = {"cuda", "flag"};
    WithoutDevices worker(world.worker);
    ExploreOptions options;
    options.runs = 1;
    for (int tries = 0; tries < 2; ++tries) {
        const Error error = trouble(explore(world.observer, worker, world.clock, world.session, options));
        EXPECT_EQ(error.code, Code::usage);
        // A figure that a version before had measured there changes nothing.
        must(write_file_atomically(world.clone().state_dir + "speed.json",
                                   R"([{"device":"cuda","threads":1,"flops_per_s":1e11}])"));
    }
    EXPECT_TRUE(world.worker.jobs.empty());
    EXPECT_TRUE(world.runs().empty());
}

}  // namespace
}  // namespace cultivar
